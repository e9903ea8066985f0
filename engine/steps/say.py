"""The `say` step: says one declared reply without matching, such as the apology at the end of a pipeline."""

from __future__ import annotations

from engine.core.plan import SayStep
from engine.steps.result import Scene, StepResult
from engine.steps.speak import speak


def run(step: SayStep, scene: Scene) -> StepResult:
    return speak((scene.plan.replies[step.reply],), scene, step.id, "fallback")
