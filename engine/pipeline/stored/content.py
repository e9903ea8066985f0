"""Stores a compiled pipeline as sections of bytes, and reads it back: replies and index are read when a turn asks.

Records become JSON lists that begin with their kind, tuples such that begin with `()`, lists such that begin with `[]`;
reading makes nothing but the engine's plain data, of a closed list of kinds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.core import expression, plan, source, turn
from engine.core.plan import Plan, Reply
from engine.core.record import field_names
from engine.core.spoken import SpokenTexts
from engine.core.table import Damaged, Decoded, Table, make_table
from engine.kinds.model import KindModel
from engine.matching.index import TriggerIndex
from engine.pipeline import bind
from engine.pipeline.bind import Compiled

_STORED = {
    bind: ("ModelDeclaration",),
    expression: ("Binary", "Call", "Choice", "Comparison", "Condition", "Constant", "Name", "Template", "Unary"),
    plan: ("Limit", "Limits", "Memory", "NamedDetector", "Persona", "Reply", "Step", "Variant", "ExpressionDetector"),
    source: ("EnvRef", "Span"),
    turn: ("Exchange", "Labels"),
}
_KINDS: Mapping[str, Any] = {name: getattr(module, name) for module, names in _STORED.items() for name in names}
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
    """Makes again what `to_json` made `value` of; raises `Damaged` for anything else."""
    if isinstance(value, list):
        kind, *items = value or [None]
        if kind == "()":
            return tuple(map(from_json, items))
        if kind == "[]":
            return list(map(from_json, items))
        record = _KINDS.get(kind) if isinstance(kind, str) else None
        names = () if record is None else field_names(record)
        if record is None or len(items) != len(names):
            raise Damaged(f"a stored record is of no kind that is known: {kind}")
        return record(**dict(zip(names, map(from_json, items), strict=True)))
    if isinstance(value, dict):
        return {key: from_json(item) for key, item in value.items()}
    return value


MOST_REPLIES = 500
"""Replies kept decoded."""

_INDEX = "index."
_SMALL = ("name", "locale", "timezone", "deadline", "persona", "steps", "memory", "mask", "limits", "closing")
"""What a plan holds besides its replies, its index and its environment."""


def to_sections(compiled: Compiled) -> dict[str, bytes]:
    """Raises `TypeError` for an index of another kind than a compiled pipeline has."""
    plan, index = compiled.plan, compiled.plan.index
    if not isinstance(index, TriggerIndex):
        raise TypeError("an index that cannot be stored")
    pipeline = {
        "plan": {name: getattr(plan, name) for name in _SMALL},
        "deadline": compiled.deadline,
        "numbers": compiled.numbers,
        "models": compiled.models,
    }
    return {
        "pipeline": make_table([_dumps(pipeline)]),
        "replies": make_table(map(_dumps, plan.replies)),
        "spoken": SpokenTexts.store(plan.replies),
        "zone": make_table([plan.zone_rules]),
        **({"kinds": bytes(plan.kinds.stored)} if isinstance(plan.kinds, KindModel) else {}),
        **{_INDEX + name: data for name, data in index.store().items()},
    }


def from_sections(sections: Mapping[str, memoryview]) -> Compiled:
    """Raises `Damaged` for what `to_sections` did not make."""
    try:
        pipeline = _loads(Table(sections["pipeline"])[0])
        replies: Decoded[Reply] = Decoded(Table(sections["replies"]), _loads, most_kept=MOST_REPLIES)
        plan = Plan(
            **pipeline["plan"],
            env={},
            replies=replies,
            spoken=SpokenTexts(replies, sections["spoken"]),
            index=TriggerIndex.stored({name[len(_INDEX) :]: data for name, data in sections.items()}),
            models={},
            zone_rules=bytes(Table(sections["zone"])[0]),
            kinds=KindModel(lambda: sections["kinds"]) if "kinds" in sections else None,
        )
        return Compiled(**{**pipeline, "plan": plan})
    except (LookupError, TypeError, ValueError) as error:
        raise Damaged("its content is not what was written") from error


def _dumps(value: Any) -> bytes:
    return json.dumps(to_json(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _loads(piece: memoryview) -> Any:
    return from_json(json.loads(str(piece, "utf-8", "surrogatepass")))
