"""The breaker by example, and against a reference model that remembers everything and recomputes it each time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.running.breaker import Breaker, BreakerPolicy, Permit, State, Verdict
from tests.fakes.clock import FakeClock

POLICY = BreakerPolicy(
    window=6, window_seconds=30.0, least_calls=4, failure_share=0.5, slow_share=0.75, open_seconds=10.0, probes=2
)


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
    assert breaker(FakeClock()).snapshot().state == "closed"


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
    subject = opened(clock)
    clock.advance(10.0)
    go(subject, "success", "success")
    snapshot = subject.snapshot()
    assert (snapshot.state, snapshot.calls) == ("closed", 0)


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


@dataclass(slots=True)
class Reference:
    """What the breaker should be, by its definition: nothing is kept but what happened."""

    events: list[tuple[float, Verdict]] = field(default_factory=list)
    state: State = "closed"
    since: float = 0.0
    era: int = 0
    given: int = 0
    passed: int = 0

    def look(self, now: float) -> State:
        over = self.state == "open" and now - self.since >= POLICY.open_seconds
        return "half_open" if over else self.state

    def admit(self, now: float) -> int | None:
        if self.look(now) != self.state:
            self.turn("half_open", now)
        if self.state == "open" or (self.state == "half_open" and self.given == POLICY.probes):
            return None
        self.given += self.state == "half_open"
        return self.era

    def record(self, era: int, verdict: Verdict, now: float) -> None:
        if era != self.era or (verdict == "ignored" and self.state == "closed"):
            return
        if self.state == "half_open":
            self.given -= verdict == "ignored"
            self.passed += verdict == "success"
            if verdict not in {"ignored", "success"}:
                self.turn("open", now)
            elif self.passed == POLICY.probes:
                self.events = []
                self.turn("closed", now)
            return
        self.events.append((now, verdict))
        recent = self.recent(now)
        failed, slow = recent.count("failure"), recent.count("slow")
        enough = len(recent) >= POLICY.least_calls
        if verdict == "fatal" or (enough and (failed / len(recent) >= 0.5 or slow / len(recent) >= 0.75)):
            self.turn("open", now)

    def recent(self, now: float) -> list[Verdict]:
        return [verdict for at, verdict in self.events[-POLICY.window :] if at > now - POLICY.window_seconds]

    def turn(self, state: State, now: float) -> None:
        self.state, self.since = state, now
        self.era += 1
        self.given = self.passed = 0


class BreakerAgainstReference(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock(now=0.0)
        self.subject = breaker(self.clock)
        self.reference = Reference()
        self.calls: list[tuple[Permit, int]] = []

    @rule(seconds=st.sampled_from([0.0, 0.25, 1.0, 5.0, 10.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def ask(self) -> None:
        permit, era = self.subject.admit(), self.reference.admit(self.clock.now)
        assert (permit is None) == (era is None)
        if permit is not None and era is not None:
            self.calls.append((permit, era))

    @precondition(lambda self: self.calls)
    @rule(
        verdict=st.sampled_from(["success", "slow", "failure", "failure", "fatal", "ignored"]),
        choice=st.integers(min_value=0),
    )
    def finish(self, verdict: Verdict, choice: int) -> None:
        permit, era = self.calls.pop(choice % len(self.calls))
        self.subject.record(permit, verdict)
        self.reference.record(era, verdict, self.clock.now)

    @invariant()
    def agree(self) -> None:
        snapshot, recent = self.subject.snapshot(), self.reference.recent(self.clock.now)
        assert snapshot.state == self.reference.look(self.clock.now)
        assert snapshot.calls == len(recent)
        assert (snapshot.failures, snapshot.slow) == (recent.count("failure"), recent.count("slow"))


TestBreakerAgainstReference = BreakerAgainstReference.TestCase
TestBreakerAgainstReference.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
