"""P518: a hedge without a second model to ask, or one that leaves the second too little time to be asked at all."""

from __future__ import annotations

from collections.abc import Iterator

from engine.building.checks.subject import Subject, literal
from engine.model.source import Problem
from engine.model.spec import GenerateStepSpec, Setting
from engine.steps.budget import LEAST


def check(subject: Subject) -> Iterator[Problem]:
    for step in subject.generate_steps:
        if step.hedge is None:
            continue
        if len(step.models) == 1:
            message = f"step `{step.id.value}` has no second model to ask when `{step.models[0].value}` is slow"
            hint = "list another one under `models`, or remove `hedge`"
            yield Problem(code="P518", message=message, span=step.hedge.span, hint=hint)
        elif (left := _left(subject, step, step.hedge.value)) < LEAST:
            message = (
                f"after {step.hedge.value:.0%} of its time, step `{step.id.value}` has {left:g} s left for "
                f"`{step.models[1].value}`, which takes {LEAST:g} s at least"
            )
            hint = "hedge earlier, or give the step more time"
            yield Problem(code="P518", message=message, span=step.hedge.span, hint=hint)


def _left(subject: Subject, step: GenerateStepSpec, share: float) -> float:
    """Seconds for the second model when the first takes all of its share."""
    longest = min(_seconds(subject.spec.deadline), _seconds(step.timeout))
    return round(longest * (1.0 - share), 3)


def _seconds(setting: Setting | None) -> float:
    """Without end where only the environment knows."""
    value = literal(setting) if setting is not None else None
    return float(value) if isinstance(value, int | float) else float("inf")
