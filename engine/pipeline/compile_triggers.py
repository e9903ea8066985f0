"""Compiles the triggers of all replies into the index that matching searches."""

from __future__ import annotations

from collections.abc import Sequence

from engine.matching.index import Trigger, TriggerIndex
from engine.matching.lexicon import lexicon
from engine.pipeline.spec import ContainsTrigger, FuzzyTrigger, PipelineSpec, ReplySpec, TriggerSpec, WordsTrigger


def build_index(spec: PipelineSpec, replies: Sequence[ReplySpec] | None = None) -> TriggerIndex:
    """The pipeline's own `replies` in file order, or others: a candidate's `reply` is a position in this sequence."""
    chosen = spec.replies if replies is None else replies
    words = lexicon((one.value for one in spec.address), [[one.value for one in group] for group in spec.synonyms])
    triggers = (
        _trigger(trigger, place, reply.priority) for place, reply in enumerate(chosen) for trigger in reply.match
    )
    return TriggerIndex.build(triggers, words)


def _trigger(trigger: TriggerSpec, reply: int, priority: int) -> Trigger:
    match trigger:
        case FuzzyTrigger(text=text):
            return Trigger(kind="fuzzy", text=text.value, reply=reply, priority=priority)
        case ContainsTrigger(text=text):
            return Trigger(kind="contains", text=text.value, reply=reply, priority=priority)
        case WordsTrigger(text=text):
            return Trigger(kind="words", text=text.value, reply=reply, priority=priority)
        case _:
            return Trigger(kind="regex", text=trigger.pattern.value, reply=reply, priority=priority)
