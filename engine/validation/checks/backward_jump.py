"""P305: `escalate_to` names a step that does not come later. Jumps go forward only, so that every turn ends."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.validation.subject import Subject

P305 = Code("P305", "a jump backward")


def check(subject: Subject) -> Iterator[Problem]:
    order = [step.id.value for step in subject.spec.steps]
    for place, step in enumerate(subject.spec.steps):
        target = step.escalate_to
        if target is not None and target.value in order[: place + 1] and target.value not in order[place + 1 :]:
            where = "to itself" if target.value == step.id.value else f"back to `{target.value}`"
            message = f"step `{step.id.value}` escalates {where}, so a turn might never end"
            later = order[place + 1 :]
            hint = f"name a later step: {', '.join(f'`{name}`' for name in later)}" if later else "remove the key"
            yield P305.problem(message, target.span, hint)
