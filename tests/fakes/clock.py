"""Time that passes when it is told to."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class FakeClock:
    """Call it for the time in seconds; `sleep` lets that much pass and remembers it."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass(slots=True)
class SkippingClock:
    """Real time, with stretches left out in which nothing would happen anyway."""

    skipped: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.skipped

    def skip(self, seconds: float) -> None:
        self.skipped += seconds
