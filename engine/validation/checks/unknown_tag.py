"""P314: a step takes only replies with a tag that no reply has."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.pipeline.schema.advice import hint
from engine.validation.subject import Subject

P314 = Code("P314", "a tag that no reply has")


def check(subject: Subject) -> Iterator[Problem]:
    known = sorted({tag.value for reply in subject.spec.replies for tag in reply.tags})
    # One that is unsure may have the tag.
    if "reply" in subject.lost or subject.unsure_replies:
        return
    for step in subject.spec.steps:
        for tag in step.tags:
            if tag.value not in known:
                message = f"step `{step.id.value}` takes only replies with the tag `{tag.value}`, which none has"
                advice = hint(tag.value, known) or f"write `tags: [{tag.value}]` at the replies that are meant"
                yield P314.problem(message, tag.span, advice)
