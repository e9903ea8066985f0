"""The time a turn may take, as one value that every wait in the engine receives.

A deadline may be called off before its time, by the `Cancellation` that it was given: then it has passed. Waits that
block register what wakes them with `waking`, so that they end at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from engine.model.record import record

if TYPE_CHECKING:
    from engine.model.cancellation import Cancellation, Wake

Clock = Callable[[], float]
"""Monotonic seconds; tests inject their own."""


@record(kw_only=False)
class Deadline:
    """A moment on a monotonic clock."""

    at: float
    clock: Clock = time.monotonic
    cancellation: Cancellation | None = None

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> Deadline:
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """Seconds left, never below zero; none once it is cancelled."""
        return 0.0 if self.cancelled else max(0.0, self.at - self.clock())

    @property
    def passed(self) -> bool:
        return self.cancelled or self.clock() >= self.at

    @property
    def cancelled(self) -> bool:
        return self.cancellation is not None and self.cancellation.cancelled

    def within(self, seconds: float) -> Deadline:
        """The earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.at, self.clock() + seconds), self.clock, self.cancellation)

    def less(self, seconds: float) -> Deadline:
        """This deadline brought forward, so that `seconds` are left for what comes after."""
        return Deadline(self.at - seconds, self.clock, self.cancellation)

    def unless(self, cancellation: Cancellation) -> Deadline:
        """This deadline, which passes as well when `cancellation` is cancelled."""
        return Deadline(self.at, self.clock, cancellation)

    def waking(self, wake: Wake) -> AbstractContextManager[None]:
        """While the block lasts, cancelling calls `wake`, at once if it was cancelled before."""
        return nullcontext() if self.cancellation is None else self.cancellation.waking(wake)
