"""The `replies` step: answers with the best canned reply whose trigger matches and whose condition holds."""

from __future__ import annotations

from engine.model.errors import TurnError
from engine.model.plan import RepliesStep
from engine.model.turn import TraceEvent
from engine.prompts.evaluate import holds
from engine.steps.result import Answer, Continue, Scene, StepResult
from engine.steps.speak import speak


def run(step: RepliesStep, scene: Scene) -> StepResult:
    trace: list[TraceEvent] = []
    for candidate in scene.plan.index.candidates(scene.turn.text, step.threshold):
        reply = scene.plan.replies[candidate.reply]
        seen = {"reply_id": reply.id, "score": round(candidate.score, 1)}
        if not holds(reply.when, scene.names):
            trace.append(TraceEvent(step=step.id, event="condition_refused", data=seen))
            continue
        try:
            text, variant = speak(reply, scene, step.id)
        except TurnError as error:
            trace.append(TraceEvent(step=step.id, event="reply_failed", data={**seen, "problem": str(error)}))
            continue
        trace.append(TraceEvent(step=step.id, event="matched", data={**seen, "variant": variant}))
        return Answer(reply=text, engine="canned", reply_id=reply.id, variant=variant, trace=tuple(trace))
    trace.append(TraceEvent(step=step.id, event="no_match", data={"threshold": step.threshold}))
    return Continue(trace=tuple(trace))
