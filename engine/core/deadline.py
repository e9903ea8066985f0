"""Bounds the time of a turn by one value that every wait in the engine receives."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from engine.core.record import record

Clock = Callable[[], float]
"""Monotonic seconds; tests inject their own."""

LEAST = 0.5
"""Seconds: with less no provider is called, since its answer could hardly come."""

SECONDS_PER_MODEL = 1.0
"""What a large model needs to say a sentence, where there is time enough."""

_SLACK = 0.05
"""Seconds that a step may take besides its call."""

PULSE = 0.04
"""Seconds after which a wait that may be called off looks whether it was."""


class Signal(Protocol):
    """What a `threading.Event` offers; set when nobody waits for the answer any more."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


@record(kw_only=False)
class Deadline:
    """A moment on a monotonic clock; one that is called off by `gone` has passed at once."""

    at: float
    clock: Clock = time.monotonic
    gone: Signal | None = None

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic, gone: Signal | None = None) -> Deadline:
        return cls(clock() + seconds, clock, gone)

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return 0.0 if self.cancelled else max(0.0, self.at - self.clock())

    def patience(self) -> float:
        """Seconds for the next wait, after which to look again what remains."""
        return self.remaining() if self.gone is None else min(PULSE, self.remaining())

    @property
    def passed(self) -> bool:
        return self.cancelled or self.clock() >= self.at

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits any more."""
        return self.gone is not None and self.gone.is_set()

    def within(self, seconds: float) -> Deadline:
        """The earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.at, self.clock() + seconds), self.clock, self.gone)

    def less(self, seconds: float) -> Deadline:
        """This deadline brought forward, so that `seconds` are left for what comes after."""
        return Deadline(self.at - seconds, self.clock, self.gone)

    def unless(self, gone: Signal | None) -> Deadline:
        """This deadline, which `gone` calls off."""
        return Deadline(self.at, self.clock, gone)

    def shared(self, behind: int) -> Deadline:
        """Leaves time to the models `behind`: a second each, or else equal shares for as many as can be asked."""
        remaining = self.remaining()
        asked_after = min(behind, int((remaining + _SLACK / 2) / (LEAST + _SLACK)) - 1)
        if asked_after <= 0:
            return self
        return self.less(asked_after * min(SECONDS_PER_MODEL, remaining / (asked_after + 1)))
