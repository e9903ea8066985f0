"""Breaks the circuit to a model after too many failures or slow calls, and lets a few calls probe it later.

The lock is held to admit a call and to record its verdict, never during the call. A verdict that comes after the state
changed is late and counts for nothing. Knows neither what is called nor what an error is.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Literal

from engine.core.deadline import Clock
from engine.core.record import record

State = Literal["closed", "open", "half_open"]
Verdict = Literal["success", "slow", "failure", "fatal", "ignored"]
"""`fatal` opens at once; `ignored` says nothing about the callee."""


@record
class BreakerPolicy:
    """Opens when, of the last `window` calls within `window_seconds`, at least `least_calls` have a verdict and a
    share of `failure_share` failed, or of `slow_share` took longer than `slow_seconds`. Stays open for `open_seconds`,
    then lets `probes` calls through: when all succeed it closes, when one does not it opens again.
    """

    window: int = 20
    window_seconds: float = 60.0
    least_calls: int = 4
    failure_share: float = 0.5
    slow_share: float = 0.8
    slow_seconds: float = 6.0
    open_seconds: float = 10.0
    probes: int = 2


@record(kw_only=False)
class Permit:
    """Leave to make one call; give it back with `record`."""

    generation: int


@record
class BreakerSnapshot:
    """The state now; `calls`, `failures` and `slow` are those in the window, `probe_in` the seconds until a probe."""

    state: State
    calls: int
    failures: int
    slow: int
    probe_in: float


class Breaker:
    """Safe to share between threads."""

    def __init__(self, policy: BreakerPolicy, clock: Clock) -> None:
        self.policy = policy
        self._clock = clock
        self._lock = threading.Lock()
        self._state: State = "closed"
        self._generation = 0
        self._window: deque[tuple[float, Verdict]] = deque()
        self._tally: Counter[Verdict] = Counter()
        self._opened_at = 0.0
        self._probes_out = 0
        self._probes_passed = 0

    def admit(self) -> Permit | None:
        """A permit for one call, or `None`: then do not call."""
        with self._lock:
            if self._state == "open" and self._probe_in() <= 0.0:
                self._enter("half_open")
            if self._state == "open":
                return None
            if self._state == "half_open":
                if self._probes_out >= self.policy.probes:
                    return None
                self._probes_out += 1
            return Permit(self._generation)

    def record(self, permit: Permit, verdict: Verdict) -> None:
        """Say how the call went."""
        with self._lock:
            if permit.generation != self._generation:
                return
            if self._state == "half_open":
                self._record_probe(verdict)
            else:
                self._record_call(verdict)

    def snapshot(self) -> BreakerSnapshot:
        with self._lock:
            self._forget_old()
            due = self._state == "open" and self._probe_in() <= 0.0
            return BreakerSnapshot(
                state="half_open" if due else self._state,
                calls=len(self._window),
                failures=self._tally["failure"],
                slow=self._tally["slow"],
                probe_in=self._probe_in() if self._state == "open" else 0.0,
            )

    def _record_probe(self, verdict: Verdict) -> None:
        if verdict == "ignored":
            self._probes_out -= 1
        elif verdict != "success":
            self._enter("open")
        else:
            self._probes_passed += 1
            if self._probes_passed == self.policy.probes:
                self._enter("closed")

    def _record_call(self, verdict: Verdict) -> None:
        if verdict == "ignored":
            return
        self._window.append((self._clock(), verdict))
        self._tally[verdict] += 1
        if len(self._window) > self.policy.window:
            self._forget_first()
        self._forget_old()
        calls = len(self._window)
        is_bad = calls >= self.policy.least_calls and (
            self._tally["failure"] >= self.policy.failure_share * calls
            or self._tally["slow"] >= self.policy.slow_share * calls
        )
        if verdict == "fatal" or is_bad:
            self._enter("open")

    def _enter(self, state: State) -> None:
        self._state = state
        self._generation += 1
        self._opened_at = self._clock()
        self._probes_out = 0
        self._probes_passed = 0
        if state == "closed":
            self._window.clear()
            self._tally.clear()

    def _probe_in(self) -> float:
        return max(0.0, self._opened_at + self.policy.open_seconds - self._clock())

    def _forget_old(self) -> None:
        horizon = self._clock() - self.policy.window_seconds
        while self._window and self._window[0][0] <= horizon:
            self._forget_first()

    def _forget_first(self) -> None:
        _, verdict = self._window.popleft()
        self._tally[verdict] -= 1
