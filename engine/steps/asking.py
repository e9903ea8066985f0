"""Asking a model and judging what it says: what asking models in turn and hedging have in common.

A model that raises always escalates, whether or not the pipeline lists `error`: that is what the next one is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.model.deadline import Deadline
from engine.model.errors import BackendError, Unavailable
from engine.model.plan import ExpressionDetector, GenerateStep
from engine.model.ports import Preparing
from engine.model.record import record
from engine.model.turn import Completion, Engine, Escalation, Prompt, TraceEvent
from engine.prompts.evaluate import holds
from engine.steps.budget import available, leave_time
from engine.steps.detectors import detects
from engine.steps.result import Answer, Escalate, Scene, StepResult


@record
class Attempt:
    """What came of asking a model, after so many seconds."""

    model: str
    engine: Engine
    result: Completion | BackendError
    seconds: float


class Asking:
    """One step's questions in one turn, and what became of them. `ask` may run on any thread; all else is for one."""

    def __init__(self, step: GenerateStep, scene: Scene, prompt: Prompt) -> None:
        self._step = step
        self._scene = scene
        self._prompt = prompt
        self._deadline = scene.deadline if step.timeout is None else scene.deadline.within(step.timeout)
        self._escalations: list[Escalation] = []
        self._trace: list[TraceEvent] = []

    @property
    def models(self) -> tuple[str, ...]:
        return self._step.models

    def until(self, place: int, *, beside: int = 0) -> Deadline:
        """When the model at `place` must have answered, so that those behind it can be asked; `beside` of them are
        asked at the same time, and need no time of their own. The first of those behind may get ready now.
        """
        services = self._scene.services
        following = available((*self.models[place + 1 :], *self._scene.behind), services)
        if following and isinstance(following[0], Preparing):
            following[0].prepare(self._prompt)
        own = self.models[place + 1 + beside :]
        rest, behind = available(own, services), available((*own, *self._scene.behind), services)
        return leave_time(self._scene.deadline, len(behind)).within(leave_time(self._deadline, len(rest)).remaining())

    def ask(self, place: int, until: Deadline) -> Attempt:
        name = self.models[place]
        model = self._scene.services.models[name]
        began = until.clock()
        result: Completion | BackendError
        try:
            result = model.generate(self._prompt, until)
        except BackendError as error:
            result = error.with_traceback(None)
        return Attempt(model=name, engine=model.engine, result=result, seconds=until.clock() - began)

    def accepts(self, attempt: Attempt) -> bool:
        """Whether nothing speaks against the answer; notes what does."""
        if isinstance(attempt.result, BackendError):
            self._escalations.append(self._from_error(attempt.model, attempt.result))
            self._note(_failed(attempt.result), attempt.model, attempt.seconds, **_about(attempt.result))
            return False
        reason = self._objection(attempt.result)
        self._note("generated", attempt.model, attempt.seconds, **_measured(attempt.result), escalates=reason)
        if reason is not None:
            self._escalations.append(Escalation(step=self._step.id, reason=reason, model=attempt.model))
        return reason is None

    def hedged(self, model: str, beside: str, seconds: float) -> None:
        """Note that `beside` is asked as well, because `model` has not answered for so long."""
        detail = f"no answer after {seconds:.1f} s, so `{beside}` is asked as well"
        self._escalations.append(Escalation(step=self._step.id, reason="slow", model=model, detail=detail))
        self._note("hedged", model, seconds, beside=beside)

    def cancelled(self, model: str, seconds: float, answer: Completion | None) -> None:
        """Note that nobody waits for `model` any more; its tokens are known where its `answer` came all the same."""
        unknown = {"prompt_tokens": None, "tokens": None}
        self._note("cancelled", model, seconds, **(unknown if answer is None else _tokens(answer)))

    def result(self, winner: Attempt | None) -> StepResult:
        """What the step comes to with the attempt that was accepted, if one was."""
        if winner is None or isinstance(winner.result, BackendError):
            return Escalate(escalations=tuple(self._escalations), to=self._step.escalate_to, trace=tuple(self._trace))
        return Answer(
            reply=winner.result.text,
            engine=winner.engine,
            completion=winner.result,
            escalations=tuple(self._escalations),
            trace=tuple(self._trace),
        )

    def _note(self, event: str, model: str, seconds: float, **data: Any) -> None:
        self._trace.append(TraceEvent(step=self._step.id, event=event, data={"model": model, **data}, seconds=seconds))

    def _objection(self, completion: Completion) -> str | None:
        names: Mapping[str, Any] | None = None
        for detector in self._step.detectors:
            if isinstance(detector, ExpressionDetector):
                names = names or {**self._scene.names, "output": _output(completion), "error": None}
                if holds(detector.test, names):
                    return detector.reason
            elif detects(detector, completion, user_text=self._scene.turn.text, locale=self._scene.plan.locale):
                return detector.name
        # Whatever a pipeline lists, silence is no answer.
        return "empty" if not completion.text.strip() else None

    def _from_error(self, model: str, error: BackendError) -> Escalation:
        names = {**self._scene.names, "output": {}, "error": error.kind}
        tests = [detector for detector in self._step.detectors if isinstance(detector, ExpressionDetector)]
        reason = next((detector.reason for detector in tests if holds(detector.test, names)), error.reason)
        return Escalation(step=self._step.id, reason=reason, model=model, detail=str(error))


def _output(completion: Completion) -> Mapping[str, Any]:
    return {
        "text": completion.text,
        "finish_reason": completion.finish_reason,
        "tokens": completion.completion_tokens,
        "confidence": completion.confidence,
        "seconds": completion.seconds,
    }


def _failed(error: BackendError) -> str:
    return "skipped" if isinstance(error, Unavailable) else "failed"


def _about(error: BackendError) -> Mapping[str, Any]:
    return {"reason": error.reason, "kind": error.kind, "problem": str(error)}


def _measured(completion: Completion) -> Mapping[str, Any]:
    return {
        "finish_reason": completion.finish_reason,
        **_tokens(completion),
        "confidence": completion.confidence,
    }


def _tokens(completion: Completion) -> Mapping[str, Any]:
    return {"prompt_tokens": completion.prompt_tokens, "tokens": completion.completion_tokens}
