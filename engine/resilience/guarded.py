"""Puts a language model behind its circuit breaker and the retry loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Any

from engine.core.deadline import Clock, Deadline
from engine.core.errors import AuthFailed, BackendError, BadRequest, Cancelled, Malformed, TimedOut, Unavailable
from engine.core.ports import LanguageModel, ModelStatus, Preparing, Streaming
from engine.core.turn import Completion, Engine, Piece, Prompt
from engine.resilience.breaker import Breaker, BreakerPolicy, Verdict
from engine.resilience.retry import Retries, RetryBudget, RetryPolicy


class GuardedModel:
    """Asks `inner` when its breaker allows, again when that may help; `backend` names it in errors."""

    def __init__(self, inner: LanguageModel, *, backend: str, breaker: Breaker, retries: Retries) -> None:
        self._inner = inner
        self._backend = backend
        self._breaker = breaker
        self._retries = retries
        self._last_failure: Mapping[str, Any] | None = None

    @property
    def engine(self) -> Engine:
        return self._inner.engine

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:
        def attempt(until: Deadline) -> Completion:
            with self._watched(until):
                return self._inner.generate(prompt, until)

        return self._retries.call(attempt, deadline)

    def stream(self, prompt: Prompt, deadline: Deadline) -> Generator[Piece, None, Completion]:
        """As the model gives it; it is asked again only where there was no piece yet."""

        def attempt(until: Deadline) -> tuple[Generator[Piece, None, Completion], Piece | Completion]:
            pieces = self._pieces(prompt, until)
            try:
                return pieces, next(pieces)
            except StopIteration as end:
                return pieces, end.value

        pieces, first = self._retries.call(attempt, deadline)
        with closing(pieces):
            if isinstance(first, Completion):
                return first
            yield first
            return (yield from pieces)

    def _pieces(self, prompt: Prompt, until: Deadline) -> Generator[Piece, None, Completion]:
        with self._watched(until):
            if isinstance(self._inner, Streaming):
                return (yield from self._inner.stream(prompt, until))
            completion = self._inner.generate(prompt, until)
            yield Piece(text=completion.text, confidence=completion.confidence)
            return completion

    def prepare(self, prompt: Prompt) -> None:
        """Let the model get ready, if it wants to and its circuit is closed."""
        if isinstance(self._inner, Preparing) and self._breaker.snapshot().state == "closed":
            self._inner.prepare(prompt)

    def status(self) -> ModelStatus:
        """The model's own status, `unavailable` while its circuit is open, with the breaker's state and the last
        failure.
        """
        inner = self._inner.status()
        circuit = self._breaker.snapshot()
        data = {
            **inner.data,
            "circuit": {**asdict(circuit), "probe_in": round(circuit.probe_in, 1)},
            "last_failure": self._last_failure,
        }
        if circuit.state != "open" or inner.state == "unavailable":
            return ModelStatus(state=inner.state, detail=inner.detail, data=data)
        return ModelStatus(state="unavailable", detail=self._shut(circuit.probe_in), data=data)

    def close(self) -> None:
        self._inner.close()

    @contextmanager
    def _watched(self, deadline: Deadline) -> Iterator[None]:
        """A call that the breaker allows, and hears of; raises `BackendError` where it must not be made."""
        if deadline.remaining() < self._retries.policy.least:
            raise self._not_asked()
        permit = self._breaker.admit()
        if permit is None:
            wait = self._breaker.snapshot().probe_in
            raise Unavailable(self._shut(wait), backend=self._backend, retry_after=wait, called=False)
        verdict: Verdict = "ignored"
        began = deadline.clock()
        try:
            yield
            slow = deadline.clock() - began >= self._breaker.policy.slow_seconds
            verdict = "slow" if slow else "success"
        except BackendError as error:
            verdict = verdict_of(error)
            if error.called:
                self._last_failure = {
                    "model": error.model,
                    "kind": error.kind,
                    "status": error.status,
                    "code": error.code,
                    "problem": str(error),
                }
            raise
        finally:
            self._breaker.record(permit, verdict)

    def _not_asked(self) -> BackendError:
        """The error for a model that has too little time, or that could not be asked at all."""
        status = self._inner.status()
        if status.state == "unavailable":
            return Unavailable(status.detail, backend=self._backend, called=False)
        return TimedOut(f"too little time is left to ask {self._backend}", backend=self._backend, called=False)

    def _shut(self, wait: float) -> str:
        return f"the circuit breaker of {self._backend} is open, the next probe is in {wait:.1f} s"


def verdict_of(error: BackendError) -> Verdict:
    """Judges the provider by an error: not at all, where the request or our own settings are to blame."""
    if isinstance(error, AuthFailed):
        return "fatal"
    if isinstance(error, (BadRequest, Cancelled)):
        return "ignored"
    ours = isinstance(error, Unavailable) and not isinstance(error, Malformed) and error.status is None
    return "ignored" if ours and not error.retryable else "failure"


def make_guard(
    policy: BreakerPolicy | None = None, clock: Clock = time.monotonic
) -> Callable[[LanguageModel, str], GuardedModel]:
    """Puts a breaker of its own around each model of a backend, and one retry loop with one budget around them all."""
    retries = Retries(policy=RetryPolicy(), budget=RetryBudget())

    def guard(model: LanguageModel, backend: str) -> GuardedModel:
        breaker = Breaker(policy or BreakerPolicy(), clock)
        return GuardedModel(model, backend=backend, breaker=breaker, retries=retries)

    return guard
