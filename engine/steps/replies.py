"""The `replies` step: answers with the best canned reply whose trigger matches and whose condition holds, or, where the
step says `otherwise`, with one of those that wait for a sentence that nothing else answered.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.errors import TurnError
from engine.core.lazy import LazyMapping
from engine.core.plan import Plan, RepliesStep, Reply
from engine.core.record import replace
from engine.core.turn import TraceEvent
from engine.expressions.evaluate import holds
from engine.steps.result import Continue, Scene, StepResult
from engine.steps.speak import PATIENCE, speak


def run(step: RepliesStep, scene: Scene) -> StepResult:
    return _match(step, scene) if step.otherwise is None else _listen(step, step.otherwise, scene)


def _match(step: RepliesStep, scene: Scene) -> StepResult:
    trace: list[TraceEvent] = []
    for candidate in scene.plan.index.candidates(scene.turn.text, step.threshold):
        if len(trace) >= PATIENCE and scene.deadline.passed:
            break
        reply = scene.plan.replies[candidate.reply]
        if not step.takes(reply):
            continue
        seen = {"reply_id": reply.id, "score": round(candidate.score, 1)}
        if not holds(reply.when, scene.names):
            trace.append(TraceEvent(step=step.id, event="condition_refused", data=seen))
            continue
        try:
            answer = speak((reply,), scene, step.id, "canned")
        except TurnError as error:
            trace.append(TraceEvent(step=step.id, event="reply_failed", data={**seen, "problem": str(error)}))
            continue
        trace.append(TraceEvent(step=step.id, event="matched", data={**seen, "variant": answer.variant}))
        return replace(answer, trace=tuple(trace))
    trace.append(TraceEvent(step=step.id, event="no_match", data={"threshold": step.threshold}))
    return Continue(trace=tuple(trace))


def _listen(step: RepliesStep, places: Sequence[int], scene: Scene) -> StepResult:
    fitting = otherwise(scene.plan, places, scene.names)
    try:
        answer = speak(fitting, scene, step.id, "canned")
    except TurnError:
        return Continue(trace=(TraceEvent(step=step.id, event="no_match"),))
    seen = {"reply_id": answer.reply_id, "variant": answer.variant, "among": [reply.id for reply in fitting]}
    return replace(answer, trace=(TraceEvent(step=step.id, event="listened", data=seen),))


def otherwise(plan: Plan, places: Sequence[int], names: LazyMapping) -> Sequence[Reply]:
    """Those of the highest priority among the replies at `places` whose conditions hold."""
    fitting = [reply for reply in (plan.replies[place] for place in places) if holds(reply.when, names)]
    best = max((reply.priority for reply in fitting), default=0)
    return [reply for reply in fitting if reply.priority == best]
