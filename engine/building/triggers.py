"""Compiles the triggers of all replies into the index that matching searches."""

from __future__ import annotations

from collections.abc import Sequence

from engine.matching.index import Trigger, TriggerIndex
from engine.model.spec import ContainsTrigger, FuzzyTrigger, ReplySpec, TriggerSpec


def build_index(replies: Sequence[ReplySpec]) -> TriggerIndex:
    """`replies` in file order: a candidate's `reply` is a position in this sequence."""
    return TriggerIndex.build(
        _trigger(trigger, place, reply.priority) for place, reply in enumerate(replies) for trigger in reply.match
    )


def _trigger(trigger: TriggerSpec, reply: int, priority: int) -> Trigger:
    match trigger:
        case FuzzyTrigger(text=text):
            return Trigger(kind="fuzzy", text=text.value, reply=reply, priority=priority)
        case ContainsTrigger(text=text):
            return Trigger(kind="contains", text=text.value, reply=reply, priority=priority)
        case _:
            return Trigger(kind="regex", text=trigger.pattern.value, reply=reply, priority=priority)
