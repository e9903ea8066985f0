"""The `generate` step: asks its models in order until one gives an answer that no detector objects to.

A model that raises always escalates, whether or not the pipeline lists `error`: that is what the next one is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.model.errors import BackendError, TurnError, Unavailable
from engine.model.plan import ExpressionDetector, GenerateStep
from engine.model.ports import Preparing
from engine.model.turn import Completion, Escalation, Prompt, TraceEvent
from engine.prompts.evaluate import holds
from engine.steps.budget import available, leave_time
from engine.steps.detectors import detects
from engine.steps.result import Answer, Escalate, Scene, StepResult


def run(step: GenerateStep, scene: Scene) -> StepResult:
    prompt = compose(step, scene)
    deadline = scene.deadline if step.timeout is None else scene.deadline.within(step.timeout)
    escalations: list[Escalation] = []
    trace: list[TraceEvent] = []
    for place, name in enumerate(step.models):
        model = scene.services.models[name]
        rest = available(step.models[place + 1 :], scene.services)
        behind = available((*step.models[place + 1 :], *scene.behind), scene.services)
        if behind and isinstance(behind[0], Preparing):
            behind[0].prepare(prompt)
        began = deadline.clock()
        try:
            until = leave_time(scene.deadline, len(behind)).within(leave_time(deadline, len(rest)).remaining())
            completion = model.generate(prompt, until)
        except BackendError as error:
            escalations.append(_from_error(step, scene, name, error))
            trace.append(_failed(step, name, error, deadline.clock() - began))
            continue
        reason = _objection(step, scene, completion)
        trace.append(_generated(step, name, completion, reason, deadline.clock() - began))
        if reason is None:
            return Answer(
                reply=completion.text,
                engine=model.engine,
                completion=completion,
                escalations=tuple(escalations),
                trace=tuple(trace),
            )
        escalations.append(Escalation(step=step.id, reason=reason, model=name))
    return Escalate(escalations=tuple(escalations), to=step.escalate_to, trace=tuple(trace))


def compose(step: GenerateStep, scene: Scene) -> Prompt:
    """The prompt of `step` in this turn; raises `TurnError` when its template fails."""
    persona = scene.plan.persona
    try:
        system = scene.services.renderer.render(step.prompt, {**scene.names, "persona": persona.data})
    except ValueError as error:
        raise TurnError(str(error), step_id=step.id, span=step.span) from error
    return Prompt(
        system=system.strip(),
        examples=persona.examples,
        history=scene.turn.history,
        text=scene.turn.text,
        labels=persona.labels,
    )


def _objection(step: GenerateStep, scene: Scene, completion: Completion) -> str | None:
    names: Mapping[str, Any] | None = None
    for detector in step.detectors:
        if isinstance(detector, ExpressionDetector):
            names = names or {**scene.names, "output": _output(completion), "error": None}
            if holds(detector.test, names):
                return detector.reason
        elif detects(detector, completion, user_text=scene.turn.text, locale=scene.plan.locale):
            return detector.name
    # Whatever a pipeline lists, silence is no answer.
    return "empty" if not completion.text.strip() else None


def _output(completion: Completion) -> Mapping[str, Any]:
    return {
        "text": completion.text,
        "finish_reason": completion.finish_reason,
        "tokens": completion.completion_tokens,
        "confidence": completion.confidence,
        "seconds": completion.seconds,
    }


def _from_error(step: GenerateStep, scene: Scene, model: str, error: BackendError) -> Escalation:
    names = {**scene.names, "output": {}, "error": error.kind}
    tests = [detector for detector in step.detectors if isinstance(detector, ExpressionDetector)]
    reason = next((detector.reason for detector in tests if holds(detector.test, names)), error.reason)
    return Escalation(step=step.id, reason=reason, model=model, detail=str(error))


def _failed(step: GenerateStep, model: str, error: BackendError, seconds: float) -> TraceEvent:
    event = "skipped" if isinstance(error, Unavailable) else "failed"
    data = {"model": model, "reason": error.reason, "kind": error.kind, "problem": str(error)}
    return TraceEvent(step=step.id, event=event, data=data, seconds=seconds)


def _generated(
    step: GenerateStep, model: str, completion: Completion, reason: str | None, seconds: float
) -> TraceEvent:
    data = {
        "model": model,
        "finish_reason": completion.finish_reason,
        "prompt_tokens": completion.prompt_tokens,
        "tokens": completion.completion_tokens,
        "confidence": completion.confidence,
        "escalates": reason,
    }
    return TraceEvent(step=step.id, event="generated", data=data, seconds=seconds)
