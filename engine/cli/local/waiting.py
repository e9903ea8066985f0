"""The requests that wait to be answered: how many may, for how long, and who is turned away.

A long queue keeps every client waiting and is of use only for a burst. So a burst may fill it once; when that was not
enough, it is kept short for a while, and those who are let in are answered as fast as ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """At most `burst` wait; for `strain` seconds after the queue ran over, at most `strained` do. Nobody does for more
    than `patience` seconds then, or while all threads are at slow turns.
    """

    burst: int = 64
    strained: int = 2
    strain: float = 5.0
    patience: float = 0.04


class Waiting(Generic[T]):
    """First in, first out. It has no clock: whoever asks says what time it is."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._queue: deque[tuple[float, T]] = deque()
        self._strained_until = float("-inf")

    def __len__(self) -> int:
        return len(self._queue)

    def admit(self, one: T, now: float) -> bool:
        """Whether `one` may wait."""
        strained = now < self._strained_until
        if len(self._queue) >= (self._bounds.strained if strained else self._bounds.burst):
            if not strained:
                self._strained_until = now + self._bounds.strain
            return False
        self._queue.append((now, one))
        return True

    def next(self) -> T:
        """The one that has waited longest; raises `IndexError` where none waits."""
        return self._queue.popleft()[1]

    def overdue(self, now: float, *, moving: bool) -> Iterator[T]:
        """Takes out those who have waited too long. While the queue is `moving` and did not run over, its length is
        bound enough: a slow machine needs its time.
        """
        if moving and now >= self._strained_until:
            return
        while self._queue and now - self._queue[0][0] > self._bounds.patience:
            yield self._queue.popleft()[1]
