"""Records as JSON values and back, by a closed list of kinds: reading makes nothing but the engine's plain data.

A record becomes a list that begins with its kind, a tuple one that begins with `()`, a list one that begins with `[]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core import expression, plan, source, turn
from engine.core.record import field_names
from engine.core.table import Damaged
from engine.pipeline import compiled

_RECORDS: tuple[type, ...] = (
    compiled.ModelDeclaration,
    expression.Binary,
    expression.Call,
    expression.Choice,
    expression.Comparison,
    expression.Condition,
    expression.Constant,
    expression.Name,
    expression.Template,
    expression.Unary,
    plan.ExpressionDetector,
    plan.Limit,
    plan.Limits,
    plan.Memory,
    plan.NamedDetector,
    plan.Persona,
    plan.Reply,
    plan.Step,
    plan.Variant,
    source.EnvRef,
    source.Span,
    turn.Exchange,
    turn.Labels,
)
_KINDS: Mapping[str, Any] = {kind.__name__: kind for kind in _RECORDS}
_SCALARS = (str, int, float, bool, type(None))


def to_json(value: Any) -> Any:
    """`value` as what `json.dumps` takes; raises `TypeError` for what no plan holds."""
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, tuple):
        return ["()", *map(to_json, value)]
    if isinstance(value, list):
        return ["[]", *map(to_json, value)]
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    kind = type(value).__name__
    if _KINDS.get(kind) is not type(value):
        raise TypeError(f"no plan holds a {kind}")
    return [kind, *(to_json(getattr(value, name)) for name in field_names(type(value)))]


def from_json(value: Any) -> Any:
    """What `to_json` made `value` of; raises `Damaged` for anything else."""
    if isinstance(value, list):
        kind, *items = value or [None]
        if kind == "()":
            return tuple(map(from_json, items))
        if kind == "[]":
            return list(map(from_json, items))
        return _record(kind, items)
    if isinstance(value, dict):
        return {key: from_json(item) for key, item in value.items()}
    return value


def _record(kind: Any, items: list[Any]) -> Any:
    record = _KINDS.get(kind) if isinstance(kind, str) else None
    names = () if record is None else field_names(record)
    if record is None or len(items) != len(names):
        raise Damaged(f"a stored record is of no kind that is known: {kind}")
    return record(**dict(zip(names, map(from_json, items), strict=True)))
