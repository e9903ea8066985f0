"""The `say` step: says one declared reply without matching, such as the apology at the end of a pipeline."""

from __future__ import annotations

from engine.model.plan import SayStep
from engine.steps.result import Answer, Scene, StepResult
from engine.steps.speak import speak


def run(step: SayStep, scene: Scene) -> StepResult:
    reply = scene.plan.replies[step.reply]
    text, variant = speak(reply, scene, step.id)
    return Answer(reply=text, engine="fallback", reply_id=reply.id, variant=variant)
