"""P507: a turn may come to the end of the steps without an answer.

A last `say` step whose `when` looks at environment variables only is taken for the operator's own choice.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.steps.spec import StepSpec
from engine.validation.checks.unreachable_step import reachable
from engine.validation.subject import Subject
from engine.validation.worlds import paths_of

P507 = Code("P507", "an end without an answer", severity="warning")


def check(subject: Subject) -> Iterator[Problem]:
    steps = subject.spec.steps
    if not subject.sound_steps:
        return
    last = steps[-1]
    if len(steps) not in reachable(subject.spec) or _is_operators_choice(subject, last):
        return
    message = f"a turn may pass the last step `{last.id.value}` and get no answer"
    hint = "end with a step of kind `say`, or of kind `replies` with `otherwise: true`, that always answers"
    yield P507.problem(message, last.id.span, hint)


def _is_operators_choice(subject: Subject, step: StepSpec) -> bool:
    """Whether the environment alone decides; a condition that cannot be read may say so."""
    if not step.answers or step.when is None:
        return False
    condition = subject.condition(step.when)
    return condition is None or all(path[0] == "env" for path in paths_of(condition))
