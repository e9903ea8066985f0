"""P307: a `say` step names a reply that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.pipeline.schema.mend import STAND_IN
from engine.pipeline.schema.suggest import nearest
from engine.pipeline.spec import SayStepSpec
from engine.validation.subject import Subject

P307 = Code("P307", "an unknown reply")


def check(subject: Subject) -> Iterator[Problem]:
    known = [reply.id.value for reply in subject.spec.replies]
    for step in subject.spec.steps:
        # A reply that is missing only because its own mistakes took it out of the spec is reported as those.
        if isinstance(step, SayStepSpec) and step.reply.value not in (*known, STAND_IN) and "reply" not in subject.lost:
            close = nearest(step.reply.value, known)
            hint = f"did you mean `{close}`?" if close else "write a reply with this `id` in a replies file"
            message = f"step `{step.id.value}` says the reply `{step.reply.value}`, which does not exist"
            yield P307.problem(message, step.reply.span, hint)
