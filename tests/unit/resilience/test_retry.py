from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.deadline import Deadline
from engine.core.errors import BackendError, BadRequest, RateLimited, Unavailable
from engine.resilience.retry import Retries, RetryBudget, RetryPolicy
from tests.fakes.clock import FakeClock

POLICY = RetryPolicy(attempts=3, base=0.2, least=0.5)
OVERLOADED = Unavailable("overloaded", backend="b", retryable=True)


def rich() -> RetryBudget:
    return RetryBudget(reserve=10.0)


@dataclass(slots=True)
class Provider:
    """Answers with what is in `results`, each after `seconds`."""

    clock: FakeClock
    results: Iterator[str | BackendError]
    seconds: float = 0.1
    calls: list[float] = field(default_factory=list)

    def __call__(self, _deadline: Deadline) -> str:
        self.calls.append(self.clock.now)
        self.clock.advance(self.seconds)
        result = next(self.results)
        if isinstance(result, BackendError):
            raise result
        return result


def retries(clock: FakeClock, budget: RetryBudget, uniform: Callable[[], float] = lambda: 0.5) -> Retries:
    return Retries(policy=POLICY, budget=budget, pause=clock.sleep, uniform=uniform)


def test_a_success_is_not_repeated() -> None:
    clock = FakeClock()
    provider = Provider(clock, iter(["yes"]))
    assert retries(clock, rich()).call(provider, Deadline.after(5.0, clock)) == "yes"
    assert (len(provider.calls), clock.slept) == (1, [])


def test_a_hiccup_is_hidden() -> None:
    clock = FakeClock()
    provider = Provider(clock, iter([OVERLOADED, "yes"]))
    assert retries(clock, rich()).call(provider, Deadline.after(5.0, clock)) == "yes"
    assert clock.slept == [0.1]


def test_waits_double_and_attempts_end() -> None:
    clock = FakeClock()
    provider = Provider(clock, iter([OVERLOADED] * 9))
    with pytest.raises(Unavailable):
        retries(clock, rich(), lambda: 1.0).call(provider, Deadline.after(60.0, clock))
    assert (len(provider.calls), clock.slept) == (3, [0.2, 0.4])


def test_what_cannot_succeed_is_called_once() -> None:
    clock = FakeClock()
    provider = Provider(clock, iter([BadRequest("no", backend="b")]))
    with pytest.raises(BadRequest):
        retries(clock, rich()).call(provider, Deadline.after(60.0, clock))
    assert len(provider.calls) == 1


def test_retry_after_is_honoured_where_it_fits() -> None:
    clock = FakeClock()
    asked = RateLimited("slow down", backend="b", retryable=True, retry_after=1.5)
    provider = Provider(clock, iter([asked, asked, "yes"]))
    dice = iter([0.0, 1.0])
    assert retries(clock, rich(), lambda: next(dice)).call(provider, Deadline.after(9.0, clock)) == "yes"
    assert clock.slept == [1.5, 1.5 + POLICY.base]


def test_retry_after_beyond_the_deadline_is_raised_at_once() -> None:
    clock = FakeClock()
    asked = RateLimited("slow down", backend="b", retryable=True, retry_after=4.6)
    provider = Provider(clock, iter([asked]))
    with pytest.raises(RateLimited):
        retries(clock, rich(), lambda: 0.0).call(provider, Deadline.after(5.0, clock))
    assert clock.slept == []


def test_no_attempt_begins_without_the_time_it_needs() -> None:
    clock = FakeClock()
    provider = Provider(clock, iter([OVERLOADED]), seconds=4.6)
    with pytest.raises(Unavailable):
        retries(clock, rich()).call(provider, Deadline.after(5.0, clock))
    assert len(provider.calls) == 1


def test_a_second_attempt_that_calls_nobody_tells_of_the_first() -> None:
    clock = FakeClock()
    shut = Unavailable("the circuit is open", backend="b", called=False)
    with pytest.raises(Unavailable) as caught:
        retries(clock, rich()).call(Provider(clock, iter([OVERLOADED, shut])), Deadline.after(9.0, clock))
    assert caught.value is OVERLOADED


@pytest.mark.parametrize("turns", [1, 10, 1000])
def test_an_outage_costs_a_fifth_more_at_most(turns: int) -> None:
    clock = FakeClock()
    subject = retries(clock, RetryBudget(share=0.2, reserve=0.0))
    provider = Provider(clock, iter([OVERLOADED] * turns * 3))
    for _ in range(turns):
        with pytest.raises(Unavailable):
            subject.call(provider, Deadline.after(60.0, clock))
    assert len(provider.calls) == turns + turns // 5


def test_savings_are_bounded() -> None:
    clock = FakeClock()
    budget = RetryBudget(share=0.2, most=2.0)
    subject = retries(clock, budget)
    for _ in range(100):
        subject.call(Provider(clock, iter(["yes"])), Deadline.after(5.0, clock))
    assert [budget.withdraw() for _ in range(3)] == [True, True, False]


RESULTS = st.one_of(
    st.just("yes"),
    st.builds(
        lambda retryable, wait: Unavailable("x", backend="b", retryable=retryable, retry_after=wait),
        st.booleans(),
        st.none() | st.floats(0.0, 10.0),
    ),
)


@given(
    results=st.lists(RESULTS, min_size=3, max_size=3),
    seconds=st.floats(0.0, 3.0),
    total=st.floats(0.0, 10.0),
    jitter=st.floats(0.0, 0.999),
)
def test_never_sleeps_past_the_deadline(
    results: list[str | BackendError], seconds: float, total: float, jitter: float
) -> None:
    clock = FakeClock(now=0.0)
    provider = Provider(clock, iter(results), seconds)
    deadline = Deadline.after(total, clock)
    with suppress(BackendError):
        retries(clock, rich(), lambda: jitter).call(provider, deadline)
    assert all(at + POLICY.least <= total + 1e-6 for at in provider.calls[1:])
    assert 1 <= len(provider.calls) <= POLICY.attempts
