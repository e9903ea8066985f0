"""What comes after a worker is lost: which engine the next one loads, when, and what went wrong before.

It decides and counts; starting processes, and locking, is the supervisor's business.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.deadline import Clock

MAX_BACKOFF = 60.0
"""Seconds."""

_DOUBLINGS = 6
"""After so many, waits have long been at their longest."""


class Restarts:
    """`engines` are tried in this order; the one after a failed load at once, the first one again after a back-off."""

    def __init__(self, engines: Sequence[str], clock: Clock) -> None:
        self._all = self._engines = tuple(engines)
        self._clock = clock
        self._problems: dict[str, str] = {}
        self._losses = 0
        self._not_before = 0.0

    @property
    def engine(self) -> str:
        return self._engines[0]

    @property
    def problem(self) -> str:
        return "; ".join(f"{engine}: {problem}" for engine, problem in self._problems.items())

    @property
    def wait(self) -> float:
        """Seconds until the next worker may be started."""
        return max(0.0, self._not_before - self._clock())

    def begin_anew(self) -> None:
        self._engines = self._all

    def note(self, problem: str) -> None:
        self._problems[self.engine] = problem

    def clear(self) -> None:
        """Nothing is wrong with this engine; why those before it do not work stays noted."""
        self._problems.pop(self.engine, None)

    def answered(self) -> None:
        self._losses = 0

    def lost_loading(self, loss: str) -> bool:
        """Whether there is another engine to be tried at once; what the worker said itself counts for more than how
        it ended.
        """
        self._problems.setdefault(self.engine, loss)
        if len(self._engines) > 1:
            self._engines = self._engines[1:]
            return True
        self.back_off()
        return False

    def lost_serving(self, loss: str) -> bool:
        """Whether the same engine is to be started again at once: after the first loss since an answer."""
        self._problems = {self.engine: loss}
        if self._losses == 0:
            self._losses = 1
            return True
        self.back_off()
        return False

    def back_off(self) -> None:
        """Each time for twice as long."""
        self._losses += 1
        self._not_before = self._clock() + min(MAX_BACKOFF, 2.0 ** min(self._losses - 1, _DOUBLINGS))
