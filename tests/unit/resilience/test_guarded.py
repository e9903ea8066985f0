from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest

from engine.core.deadline import Deadline
from engine.core.errors import (
    AuthFailed,
    BackendError,
    BadRequest,
    ContextTooLong,
    Malformed,
    RateLimited,
    Refused,
    TimedOut,
    Unavailable,
)
from engine.core.ports import ModelStatus
from engine.core.turn import Completion, Engine, Labels, Prompt
from engine.resilience.breaker import Breaker, BreakerPolicy
from engine.resilience.guarded import GuardedModel, verdict_of
from engine.resilience.retry import Retries, RetryBudget, RetryPolicy
from tests.fakes.clock import FakeClock

PROMPT = Prompt(system="", examples=(), history=(), text="やあ", labels=Labels("客", "店"))
OVERLOADED = Unavailable("overloaded", backend="b", retryable=True, status=503)
REFUSED = AuthFailed("no", backend="b", status=401)


@dataclass(slots=True)
class Model:
    """Gives `results` in turn, the last one for ever, each after `seconds`."""

    clock: FakeClock
    results: Sequence[BackendError | None]
    seconds: float = 0.5
    calls: int = 0
    closed: bool = False
    engine: Engine = field(default="external")
    state: Literal["ready", "unavailable"] = "ready"

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:
        del prompt, deadline
        result = self.results[min(self.calls, len(self.results) - 1)]
        self.calls += 1
        self.clock.advance(self.seconds)
        if result is not None:
            raise result
        return Completion(text="あら。", finish_reason="stop", model="m", seconds=self.seconds)

    def status(self) -> ModelStatus:
        return ModelStatus(state=self.state, detail="m", data={"model": "m"})

    def close(self) -> None:
        self.closed = True


def guard(model: Model, *, attempts: int = 1) -> GuardedModel:
    retries = Retries(
        policy=RetryPolicy(attempts=attempts),
        budget=RetryBudget(),
        pause=model.clock.sleep,
        uniform=lambda: 0.5,
    )
    return GuardedModel(model, backend="b", breaker=Breaker(BreakerPolicy(), model.clock), retries=retries)


def ask(subject: GuardedModel, clock: FakeClock, seconds: float = 7.0) -> Completion | BackendError:
    try:
        return subject.generate(PROMPT, Deadline.after(seconds, clock))
    except BackendError as error:
        return error


def test_a_good_model_answers() -> None:
    clock = FakeClock()
    answer = ask(guard(Model(clock, [None])), clock)
    assert isinstance(answer, Completion)


def test_a_hiccup_is_retried() -> None:
    clock = FakeClock()
    model = Model(clock, [OVERLOADED, None])
    assert isinstance(ask(guard(model, attempts=3), clock), Completion)
    assert model.calls == 2


def test_an_outage_soon_costs_no_calls() -> None:
    clock = FakeClock()
    model = Model(clock, [OVERLOADED])
    subject = guard(model, attempts=3)
    for _ in range(1000):
        assert isinstance(ask(subject, clock), Unavailable)
    assert model.calls <= 5


def test_refused_credentials_shut_it_at_once() -> None:
    clock = FakeClock()
    model = Model(clock, [REFUSED])
    subject = guard(model)
    assert isinstance(ask(subject, clock), AuthFailed)
    error = ask(subject, clock)
    assert isinstance(error, Unavailable)
    assert (error.retryable, error.retry_after) == (False, 10.0)
    assert model.calls == 1


def test_it_comes_back() -> None:
    clock = FakeClock()
    subject = guard(Model(clock, [REFUSED, None]))
    ask(subject, clock)
    clock.advance(10.0)
    assert [type(ask(subject, clock)) for _ in range(3)] == [Completion] * 3
    assert subject.status().data["circuit"]["state"] == "closed"


def test_slow_answers_shut_it_too() -> None:
    clock = FakeClock()
    model = Model(clock, [None], seconds=6.5)
    subject = guard(model)
    answers = [ask(subject, clock) for _ in range(5)]
    assert [type(answer) for answer in answers] == [Completion] * 4 + [Unavailable]


def test_too_little_time_makes_no_call_and_no_verdict() -> None:
    clock = FakeClock()
    model = Model(clock, [None])
    subject = guard(model)
    assert isinstance(ask(subject, clock, seconds=0.4), TimedOut)
    assert (model.calls, subject.status().data["circuit"]["calls"]) == (0, 0)


def test_one_that_is_not_to_be_had_says_why_however_little_time_is_left() -> None:
    clock = FakeClock()
    model = Model(clock, [None], state="unavailable")
    error = ask(guard(model), clock, seconds=0.4)
    assert (type(error), str(error), model.calls) == (Unavailable, "m", 0)


def test_the_state_shows() -> None:
    clock = FakeClock()
    subject = guard(Model(clock, [REFUSED]))
    assert subject.status().state == "ready"
    ask(subject, clock)
    status = subject.status()
    assert (status.state, status.data["model"], status.data["circuit"]["state"]) == ("unavailable", "m", "open")
    assert status.detail == "the circuit breaker of b is open, the next probe is in 10.0 s"


def test_the_last_failure_is_told_until_there_is_another() -> None:
    clock = FakeClock()
    missing = BadRequest("b answered 404 (model_not_found): check", backend="b", status=404, code="model_not_found")
    missing.model = "gpt-x"
    subject = guard(Model(clock, [None, missing, None, OVERLOADED, OVERLOADED, OVERLOADED]))
    ask(subject, clock)
    assert subject.status().data["last_failure"] is None
    for _ in range(2):
        ask(subject, clock)
        assert subject.status().data["last_failure"] == {
            "model": "gpt-x",
            "kind": "bad_request",
            "status": 404,
            "code": "model_not_found",
            "problem": "b answered 404 (model_not_found): check",
        }
    ask(subject, clock)
    assert subject.status().data["last_failure"]["status"] == 503


def test_one_that_was_not_called_has_not_failed() -> None:
    clock = FakeClock()
    subject = guard(Model(clock, [REFUSED]))
    ask(subject, clock)
    shut = ask(subject, clock)
    late = ask(subject, clock, seconds=0.4)
    assert isinstance(shut, BackendError)
    assert isinstance(late, BackendError)
    assert (shut.called, late.called) == (False, False)
    assert subject.status().data["last_failure"]["status"] == 401


def test_what_was_wrong_before_a_call_is_no_failure_of_one() -> None:
    clock = FakeClock()
    subject = guard(Model(clock, [Unavailable("the SDK does not load", backend="b", called=False)]))
    ask(subject, clock)
    assert subject.status().data["last_failure"] is None


def test_a_bug_in_a_model_does_not_keep_its_permit() -> None:
    clock = FakeClock()
    model = Model(clock, [REFUSED])
    subject = guard(model)
    ask(subject, clock)
    clock.advance(10.0)
    model.results = ["not an error at all"]
    for _ in range(5):
        with pytest.raises(TypeError):
            subject.generate(PROMPT, Deadline.after(7.0, clock))
    model.results = [None]
    assert isinstance(ask(subject, clock), Completion)


@dataclass(slots=True)
class EagerModel(Model):
    prepared: list[Prompt] = field(default_factory=list)

    def prepare(self, prompt: Prompt) -> None:
        self.prepared.append(prompt)


def test_a_model_gets_ready_while_its_circuit_is_closed() -> None:
    clock = FakeClock()
    model = EagerModel(clock, [REFUSED])
    subject = guard(model)
    subject.prepare(PROMPT)
    ask(subject, clock)
    subject.prepare(PROMPT)
    assert model.prepared == [PROMPT]


def test_a_model_that_has_nothing_to_get_ready_is_left_alone() -> None:
    model = Model(FakeClock(), [None])
    guard(model).prepare(PROMPT)
    assert model.calls == 0


def test_closing_closes_the_model() -> None:
    model = Model(FakeClock(), [None])
    guard(model).close()
    assert model.closed


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (AuthFailed("x", backend="b", status=403), "fatal"),
        (BadRequest("x", backend="b", status=400), "ignored"),
        (ContextTooLong("x", backend="b", status=400), "ignored"),
        (Refused("x", backend="b", status=400), "ignored"),
        (Unavailable("no key", backend="b"), "ignored"),
        (Unavailable("x", backend="b", status=503, retryable=True), "failure"),
        (Unavailable("x", backend="b", retryable=True), "failure"),
        (Unavailable("redirect", backend="b", status=302), "failure"),
        (Malformed("too large", backend="b"), "failure"),
        (RateLimited("x", backend="b", status=429), "failure"),
        (TimedOut("x", backend="b"), "failure"),
    ],
)
def test_verdicts(error: BackendError, verdict: str) -> None:
    assert verdict_of(error) == verdict
