"""What a circuit breaker should be, by its definition, and random sequences that hold the real one against it.

The reference remembers every event and works everything out anew each time it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.resilience.breaker import Breaker, BreakerPolicy, Permit, State, Verdict
from tests.fakes.clock import FakeClock

POLICY = BreakerPolicy(
    window=6, window_seconds=30.0, least_calls=4, failure_share=0.5, slow_share=0.75, open_seconds=10.0, probes=2
)


@dataclass(slots=True)
class Reference:
    """Nothing is kept but what happened."""

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
        self.subject = Breaker(POLICY, self.clock)
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
