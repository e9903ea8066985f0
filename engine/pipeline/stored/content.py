"""A compiled pipeline as sections, and back: the replies and the index stay where they are until a turn needs them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.core.plan import Plan, Reply
from engine.core.table import Damaged, Decoded, Table, make_table
from engine.kinds.model import KindModel
from engine.matching.index import TriggerIndex
from engine.pipeline.compiled import Compiled
from engine.pipeline.stored.codec import from_json, to_json

MOST_REPLIES = 500
"""Replies kept decoded."""

_INDEX = "index."
_SMALL = ("name", "locale", "timezone", "deadline", "persona", "steps", "memory", "mask", "limits")
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
        "zone": make_table([plan.zone_rules]),
        **({"kinds": bytes(plan.kinds.stored)} if isinstance(plan.kinds, KindModel) else {}),
        **{_INDEX + name: data for name, data in index.store().items()},
    }


def from_sections(sections: Mapping[str, memoryview]) -> Compiled:
    """Raises `Damaged` for what `to_sections` did not make."""
    try:
        pipeline = _loads(Table(sections["pipeline"])[0])
        plan = Plan(
            **pipeline["plan"],
            env={},
            replies=Decoded(Table(sections["replies"]), _reply, most_kept=MOST_REPLIES),
            index=TriggerIndex.stored({name[len(_INDEX) :]: data for name, data in sections.items()}),
            models={},
            zone_rules=bytes(Table(sections["zone"])[0]),
            kinds=_kinds(sections),
        )
        return Compiled(
            plan=plan, deadline=pipeline["deadline"], numbers=pipeline["numbers"], models=pipeline["models"]
        )
    except (LookupError, TypeError, ValueError) as error:
        raise Damaged("its content is not what was written") from error


def _kinds(sections: Mapping[str, memoryview]) -> KindModel | None:
    return KindModel(lambda: sections["kinds"]) if "kinds" in sections else None


def _reply(piece: memoryview) -> Reply:
    reply: Reply = _loads(piece)
    return reply


def _dumps(value: Any) -> bytes:
    return json.dumps(to_json(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _loads(piece: memoryview) -> Any:
    return from_json(json.loads(str(piece, "utf-8", "surrogatepass")))
