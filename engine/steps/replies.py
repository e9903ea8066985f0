"""The `replies` step: answers with the best canned reply whose trigger matches and whose condition holds, or, where the
step says `otherwise`, with one of those that wait for a sentence that nothing else answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.core.errors import TurnError
from engine.core.events import CandidateRefused, NoReply, ReplyChosen, ReplyFailed, ReplyMatched
from engine.core.expression import LazyMapping
from engine.core.language import phrase
from engine.core.plan import DEFAULT_THRESHOLD, Plan, Reply, Step
from engine.core.record import replace
from engine.expressions.evaluate import holds
from engine.steps.kinds import Continue, Scene, StepResult, Told
from engine.steps.speak import PATIENCE, speak

if TYPE_CHECKING:
    from engine.core.node import MappingNode
    from engine.steps.explaining import View
    from engine.steps.spec import StepSpec

SCHEMA = {
    "description": "Looks for the canned reply that matches the user's text best; or, with `otherwise`, says one that "
    "waits for a text that nothing matches.",
    "properties": {
        "threshold": {
            "description": "How alike text and trigger must be, from 1 to 100. Default 80.",
            "$ref": "#/$defs/setting_number",
            "minimum": 1,
            "maximum": 100,
            "default": int(DEFAULT_THRESHOLD),
        },
        "only": {
            "description": "Only replies with one of these `tags` are said, so that what must not wait stands before "
            "all others.",
            "type": "array",
            "minItems": 1,
            "maxItems": 20,
            "items": {"$ref": "#/$defs/id"},
        },
        "otherwise": {
            "description": "Says one of the replies with `otherwise: true` instead of looking for a trigger. It stands "
            "after the steps that may answer better.",
            "type": "boolean",
            "default": False,
        },
    },
}


def read(spec: StepSpec, node: MappingNode) -> StepSpec:
    listens = node.flag("otherwise")
    return replace(
        spec,
        searches=not listens,
        listens=listens,
        threshold=node.setting("threshold"),
        tags=node.texts("only"),
    )


def run(step: Step, scene: Scene) -> StepResult:
    if not step.searches:
        return _listen(step, scene)
    tried = 0
    for candidate in scene.plan.index.candidates(scene.turn.text, step.threshold):
        if tried >= PATIENCE and scene.deadline.passed:
            break
        reply = scene.plan.replies[candidate.reply]
        if not step.takes(reply):
            continue
        tried += 1
        score = round(candidate.score, 1)
        if reply.when is not None and not holds(reply.when, scene.names):
            source = reply.when.source
            scene.tell(
                CandidateRefused(step=step.id, reply_id=reply.id, score=score, condition=source, span=reply.span)
            )
            continue
        try:
            answer = speak((reply,), scene, step.id, "canned")
        except TurnError as error:
            scene.tell(ReplyFailed(step=step.id, reply_id=reply.id, score=score, problem=str(error)))
            continue
        scene.tell(ReplyMatched(step=step.id, reply_id=reply.id, score=score, variant=answer.variant))
        return replace(answer, score=score)
    scene.tell(NoReply(step=step.id, threshold=step.threshold))
    return Continue()


def _listen(step: Step, scene: Scene) -> StepResult:
    fitting = _fitting(scene.plan, step.replies, scene.names)
    try:
        answer = speak(fitting, scene, step.id, "canned")
    except TurnError:
        scene.tell(NoReply(step=step.id))
        return Continue()
    among = tuple(reply.id for reply in fitting)
    scene.tell(ReplyChosen(step=step.id, reply_id=answer.reply_id, variant=answer.variant, among=among))
    return answer


def _fitting(plan: Plan, places: Sequence[int], names: LazyMapping) -> Sequence[Reply]:
    """Those of the highest priority among the replies at `places` whose conditions hold."""
    fitting = [reply for reply in (plan.replies[place] for place in places) if holds(reply.when, names)]
    best = max((reply.priority for reply in fitting), default=0)
    return [reply for reply in fitting if reply.priority == best]


def explain(step: Step, view: View) -> Told:
    if not step.searches:
        return _explain_listening(step, view)
    seen = view.considered(step)
    best = next((one for one in seen if one.verdict == "chosen"), None)
    if best is None:
        reached = any(one.verdict != "too low" for one in seen)
        why = phrase("no reply reaches {threshold:g}", threshold=step.threshold)
        if reached:
            why = phrase("no reply that reaches {threshold:g} may be said", threshold=step.threshold)
        return Told(action=phrase("goes on"), why=why, considered=seen)
    others = [one.score for one in seen if one.reply_id != best.reply_id and one.verdict == "passed over"]
    lead = phrase("no other reply matches")
    if others:
        lead = phrase("{far:.1f} before the next reply", far=best.score - max(others))
    reply = next(reply for reply in view.plan.replies if reply.id == best.reply_id)
    return Told(
        action=phrase("answers with {reply}", reply=f"`{best.reply_id}`"),
        why=phrase("trigger `{trigger}` scores {score:.1f}, {lead}", trigger=best.trigger, score=best.score, lead=lead),
        answers=True,
        considered=seen,
        remembered=view.remembered(reply),
    )


def _explain_listening(step: Step, view: View) -> Told:
    fitting = _fitting(view.plan, step.replies, view.names)
    if not fitting:
        return Told(action=phrase("goes on"), why=phrase("no reply that waits for such a text may be said now"))
    names = ", ".join(f"`{reply.id}`" for reply in fitting)
    action = phrase("answers with {reply}", reply=names)
    if len(fitting) > 1:
        action = phrase("answers with one of {replies}", replies=names)
    return Told(
        action=action,
        why=phrase("nothing before it answered"),
        answers=True,
        remembered=view.remembered(fitting[0]) if len(fitting) == 1 else {},
    )
