"""P506: a step that no turn can come to, because every way before it ends in an answer or jumps past it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.building.checks.subject import Subject
from engine.model.source import Problem
from engine.model.spec import GenerateStepSpec, SayStepSpec, StepSpec


def check(subject: Subject) -> Iterator[Problem]:
    steps = subject.spec.steps if subject.sound_steps else ()
    came_to = reachable(steps)
    for place, step in enumerate(steps):
        if place not in came_to:
            message = f"step `{step.id.value}` is never reached"
            hint = "give the step before it that always answers a `when`, or remove this one"
            yield Problem(code="P506", message=message, span=step.id.span, hint=hint)


def reachable(steps: Sequence[StepSpec]) -> set[int]:
    """The positions that a turn can come to; `len(steps)` among them when it can fall off the end."""
    order = {step.id.value: place for place, step in enumerate(steps)}
    came_to = {0}
    for place, step in enumerate(steps):
        if place in came_to:
            came_to.update(_ways_on(place, step, order))
    return came_to


def _ways_on(place: int, step: StepSpec, order: dict[str, int]) -> Iterator[int]:
    """Where a turn goes when the step does not answer; a `say` step without `when` always does."""
    if isinstance(step, SayStepSpec) and step.when is None:
        return
    target = step.escalate_to.value if isinstance(step, GenerateStepSpec) and step.escalate_to else None
    # A jump that is wrong by itself is reported as such.
    yield max(order.get(target, 0), place + 1) if target is not None else place + 1
    if step.when is not None:
        yield place + 1
