"""The time a turn may take, as one value that every wait in the engine receives."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.core.record import record

Clock = Callable[[], float]
"""Monotonic seconds; tests inject their own."""

LEAST = 0.5
"""Seconds: with less no provider is called, since its answer could hardly come."""


@record(kw_only=False)
class Deadline:
    """A moment on a monotonic clock."""

    at: float
    clock: Clock = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> Deadline:
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.at - self.clock())

    @property
    def passed(self) -> bool:
        return self.clock() >= self.at

    def within(self, seconds: float) -> Deadline:
        """The earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.at, self.clock() + seconds), self.clock)

    def less(self, seconds: float) -> Deadline:
        """This deadline brought forward, so that `seconds` are left for what comes after."""
        return Deadline(self.at - seconds, self.clock)
