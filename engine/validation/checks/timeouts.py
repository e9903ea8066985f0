"""P514: timeouts that do not fit into the deadline, alone or one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.pipeline.compile import number
from engine.validation.subject import Subject, literal

P514 = Code("P514", "timeouts that do not fit the deadline")


def check(subject: Subject) -> Iterator[Problem]:
    deadline = literal(subject.spec.deadline)
    if not subject.sound_steps or not isinstance(deadline, int | float):
        return
    spent = 0.0
    steps = [step for step in subject.spec.steps if step.models]
    for place, step in enumerate(steps):
        seconds = number(step.timeout)
        if seconds is None or step.timeout is None:
            continue
        spent += seconds
        following = steps[place + 1].id.value if place + 1 < len(steps) else None
        if seconds > deadline:
            message = f"timeout of {seconds:g} s is longer than the deadline of {deadline:g} s"
            yield P514.problem(message, step.timeout.span, "shorten it, or raise `deadline`")
        elif spent >= deadline and following is not None:
            message = f"after {spent:g} s in all, step `{following}` has nothing left of the deadline of {deadline:g} s"
            hint = "shorten the timeouts so that they leave time for the steps behind them"
            yield P514.problem(message, step.timeout.span, hint, severity="warning")
