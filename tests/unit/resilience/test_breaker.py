"""The breaker by example, and against a reference model."""

from __future__ import annotations

import threading

import pytest
from hypothesis import settings

from engine.resilience.breaker import Breaker, BreakerSnapshot, Permit, State, Verdict
from tests.fakes.breaker import POLICY, BreakerAgainstReference
from tests.fakes.clock import FakeClock


def breaker(clock: FakeClock) -> Breaker:
    return Breaker(POLICY, clock)


def go(subject: Breaker, *verdicts: Verdict) -> None:
    for verdict in verdicts:
        permit = subject.admit()
        assert permit is not None
        subject.record(permit, verdict)


def opened(clock: FakeClock) -> Breaker:
    subject = breaker(clock)
    go(subject, "fatal")
    return subject


def test_a_new_breaker_is_closed() -> None:
    assert breaker(FakeClock()).snapshot() == BreakerSnapshot(state="closed", calls=0, failures=0, slow=0, probe_in=0.0)


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        (["failure"] * 3, "closed"),
        (["failure"] * 4, "open"),
        (["success", "failure", "success", "failure"], "open"),
        (["success", "success", "success", "failure"], "closed"),
        (["slow", "slow", "success", "slow"], "open"),
        (["slow", "slow", "success", "success"], "closed"),
        (["ignored"] * 50, "closed"),
        (["fatal"], "open"),
        (["success"] * 5 + ["fatal"], "open"),
        (["success"] * 6 + ["failure"] * 2, "closed"),
        (["success"] * 6 + ["failure"] * 3, "open"),
    ],
)
def test_what_opens_it(verdicts: list[Verdict], state: State) -> None:
    subject = breaker(FakeClock())
    go(subject, *verdicts)
    assert subject.snapshot().state == state


def test_old_failures_are_forgotten() -> None:
    clock = FakeClock()
    subject = breaker(clock)
    go(subject, "failure", "failure", "failure")
    clock.advance(30.0)
    go(subject, "failure")
    snapshot = subject.snapshot()
    assert (snapshot.state, snapshot.calls, snapshot.failures) == ("closed", 1, 1)


def test_open_admits_nobody_until_its_time_is_over() -> None:
    clock = FakeClock()
    subject = opened(clock)
    clock.advance(9.0)
    assert subject.admit() is None
    assert subject.snapshot().state == "open"
    assert subject.snapshot().probe_in == pytest.approx(1.0)
    clock.advance(1.0)
    assert subject.snapshot().state == "half_open"
    assert subject.admit() is not None


def test_half_open_lets_exactly_the_probes_through() -> None:
    clock = FakeClock()
    subject = opened(clock)
    clock.advance(10.0)
    barrier = threading.Barrier(64)
    permits: list[Permit | None] = []

    def ask() -> None:
        barrier.wait()
        permits.append(subject.admit())

    threads = [threading.Thread(target=ask) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([permit for permit in permits if permit is not None]) == POLICY.probes


def test_successful_probes_close_it_with_an_empty_window() -> None:
    clock = FakeClock()
    subject = breaker(clock)
    go(subject, "slow", "failure", "fatal")
    clock.advance(10.0)
    go(subject, "success", "success")
    assert subject.snapshot() == breaker(clock).snapshot()


@pytest.mark.parametrize("verdict", ["failure", "slow", "fatal"])
def test_a_bad_probe_opens_it_again(verdict: Verdict) -> None:
    clock = FakeClock()
    subject = opened(clock)
    clock.advance(10.0)
    go(subject, "success", verdict)
    assert subject.snapshot().state == "open"
    assert subject.admit() is None


def test_an_ignored_probe_may_be_repeated() -> None:
    clock = FakeClock()
    subject = opened(clock)
    clock.advance(10.0)
    go(subject, "ignored", "ignored", "ignored", "success", "success")
    assert subject.snapshot().state == "closed"


def test_a_late_verdict_counts_for_nothing() -> None:
    clock = FakeClock()
    subject = breaker(clock)
    late = subject.admit()
    assert late is not None
    go(subject, "fatal")
    clock.advance(10.0)
    probe = subject.admit()
    assert probe is not None
    subject.record(late, "failure")
    assert subject.snapshot().state == "half_open"
    subject.record(probe, "success")
    go(subject, "success")
    assert subject.snapshot().state == "closed"


TestBreakerAgainstReference = BreakerAgainstReference.TestCase
TestBreakerAgainstReference.settings = settings(max_examples=200, stateful_step_count=40)
