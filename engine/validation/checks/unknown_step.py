"""P304: `escalate_to` names a step that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.pipeline.schema.advice import hint
from engine.validation.subject import Subject

P304 = Code("P304", "an unknown step")


def check(subject: Subject) -> Iterator[Problem]:
    known = [step.id.value for step in subject.spec.steps]
    for place, step in enumerate(subject.spec.steps):
        target = step.escalate_to
        if target is not None and target.value not in known and "step" not in subject.lost:
            later = [name for name in known[place + 1 :] if name != step.id.value]
            message = f"step `{step.id.value}` escalates to `{target.value}`, which does not exist"
            yield P304.problem(message, target.span, hint(target.value, later or known))
