"""The `replies` step: answers with the best canned reply whose trigger matches and whose condition holds, or, where the
step says `otherwise`, with one of those that wait for a sentence that nothing else answered.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.errors import TurnError
from engine.core.events import CandidateRefused, NoReply, ReplyChosen, ReplyFailed, ReplyMatched
from engine.core.lazy import LazyMapping
from engine.core.plan import Plan, RepliesStep, Reply
from engine.core.record import replace
from engine.expressions.evaluate import holds
from engine.steps.result import Continue, Scene, StepResult
from engine.steps.speak import PATIENCE, speak


def run(step: RepliesStep, scene: Scene) -> StepResult:
    return _match(step, scene) if step.otherwise is None else _listen(step, step.otherwise, scene)


def _match(step: RepliesStep, scene: Scene) -> StepResult:
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
            refused = CandidateRefused(
                step=step.id, reply_id=reply.id, score=score, condition=reply.when.source, span=reply.span
            )
            scene.tell(refused)
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


def _listen(step: RepliesStep, places: Sequence[int], scene: Scene) -> StepResult:
    fitting = otherwise(scene.plan, places, scene.names)
    try:
        answer = speak(fitting, scene, step.id, "canned")
    except TurnError:
        scene.tell(NoReply(step=step.id))
        return Continue()
    among = tuple(reply.id for reply in fitting)
    scene.tell(ReplyChosen(step=step.id, reply_id=answer.reply_id, variant=answer.variant, among=among))
    return answer


def otherwise(plan: Plan, places: Sequence[int], names: LazyMapping) -> Sequence[Reply]:
    """Those of the highest priority among the replies at `places` whose conditions hold."""
    fitting = [reply for reply in (plan.replies[place] for place in places) if holds(reply.when, names)]
    best = max((reply.priority for reply in fitting), default=0)
    return [reply for reply in fitting if reply.priority == best]
