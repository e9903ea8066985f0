"""The `say` step: says one declared reply without matching, such as the apology at the end of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.language import phrase
from engine.core.plan import Step
from engine.core.record import replace
from engine.steps.kinds import Scene, StepResult, Told
from engine.steps.speak import speak

if TYPE_CHECKING:
    from engine.core.node import MappingNode
    from engine.steps.explaining import View
    from engine.steps.spec import StepSpec

SCHEMA = {
    "description": "Says a certain canned reply.",
    "required": ["reply"],
    "properties": {"reply": {"description": "The reply that is said, by its `id`.", "$ref": "#/$defs/text"}},
}


def read(spec: StepSpec, node: MappingNode) -> StepSpec:
    return replace(spec, replies=(node.text("reply"),), answers=True)


def run(step: Step, scene: Scene) -> StepResult:
    return speak([scene.plan.replies[place] for place in step.replies], scene, step.id, "fallback")


def explain(step: Step, view: View) -> Told:
    (reply,) = [view.plan.replies[place] for place in step.replies]
    remembered = view.remembered(reply)
    return Told(
        action=phrase("says `{reply}`", reply=reply.id),
        why=phrase("nothing before it answered"),
        answers=True,
        remembered=remembered,
    )
