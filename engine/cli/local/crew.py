"""Threads of which one leads at a time: it serves, and whoever it is stuck with costs it the lead.

A turn that is answered from memory takes a tenth of a millisecond, less than handing it to another thread. So the
leader answers turns itself. A turn that takes longer, because a model is asked or a disk is slow, is noticed by the
thread that stands by; that one leads from then on, and the former leader only finishes its turn. Unlike a pool, this
needs no knowledge of which turns are slow, and no two threads compete for the interpreter while all are quick.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

STUCK = 0.005
"""Seconds that a leader may be at one task before another thread takes the lead."""


class Crew(Generic[T]):
    """`serve` is called by whoever leads, with a number for its time as the leader; it must return soon after
    `leads` of that number is false.
    """

    def __init__(self, serve: Callable[[int], None], *, size: int, stuck: float = STUCK) -> None:
        """`size` threads: the leader, one that stands by, and those that are at a slow task."""
        self._serve, self._size, self._stuck = serve, size, stuck
        self._standing_by = threading.Lock()
        self._changed = threading.Condition()
        self._term = 0
        self._vacant = True
        self._stopped = False
        self._at_work = False
        self._begun = 0
        self._asleep = False
        self._away = 0
        self._threads = [threading.Thread(target=self._live, name=f"serve {n}", daemon=True) for n in range(size)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Nobody leads from now on."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def join(self, seconds: float) -> None:
        """Wait until all threads have ended, at most `seconds` for each that is at a task."""
        for thread in self._threads:
            thread.join(seconds)

    def leads(self, term: int) -> bool:
        return term == self._term and not self._stopped

    @property
    def away(self) -> int:
        """Threads that are at a slow task."""
        return self._away

    @property
    def spare(self) -> bool:
        """Whether someone could take the lead: without, the leader must not begin a task."""
        return self._away < self._size - 1

    def work(self, term: int, task: Callable[[], T], late: Callable[[T], None]) -> T | None:
        """The leader's way to do `task`: its result, or `None` where another leads by then; `late` gets it instead."""
        self._begin()
        result = task()
        with self._changed:
            if self._term == term:
                self._at_work = False
                return result
            late(result)
            self._away -= 1
            return None

    def _begin(self) -> None:
        with self._changed:
            self._begun += 1
            self._at_work = True
            if self._asleep:
                self._asleep = False
                self._changed.notify_all()

    def _live(self) -> None:
        while not self._stopped:
            with self._standing_by:
                term = self._next_term()
            if term is None:
                return
            try:
                self._serve(term)
            finally:
                self._resign(term)

    def _next_term(self) -> int | None:
        """Waits until this thread has to lead; `None` when nobody has to any more."""
        with self._changed:
            begun = -1
            while not self._stopped and not self._vacant:
                quiet, begun = self._begun == begun, self._begun
                self._asleep = quiet and not self._at_work
                told = self._changed.wait(None if self._asleep else self._stuck)
                if not told and self._at_work and self._begun == begun:
                    self._at_work = False
                    self._away += 1
                    break
            if self._stopped:
                return None
            self._vacant = False
            self._term += 1
            return self._term

    def _resign(self, term: int) -> None:
        with self._changed:
            if self._term == term:
                self._vacant = True
                self._changed.notify_all()
