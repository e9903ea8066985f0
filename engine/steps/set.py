"""The `set` step: computes variables from condition-expressions, for the steps and templates that follow."""

from __future__ import annotations

from engine.core.events import VariablesSet
from engine.core.plan import SetStep
from engine.expressions.evaluate import evaluate
from engine.steps.result import Continue, Scene, StepResult


def run(step: SetStep, scene: Scene) -> StepResult:
    values = {name: evaluate(expression, scene.names) for name, expression in step.values}
    scene.tell(VariablesSet(step=step.id, values=values))
    return Continue(vars=values)
