"""Runs work that cannot be told to stop (name lookups, imports of SDKs) in a bounded number of daemon threads.

The caller waits until the deadline at most. A thread whose caller has left ends when its work does, and as only a fixed
number may be under way at a time, they cannot pile up. This module knows nothing of models or providers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from engine.core.deadline import Clock, Deadline

T = TypeVar("T")


def start(work: Callable[[], T], name: str) -> Future[T]:
    """Run `work` in a daemon thread; whatever it raises is in the future."""
    future: Future[T] = Future()
    threading.Thread(target=_run, args=(work, future), name=name, daemon=True).start()
    return future


def _run(work: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 — handed to whoever waits, not swallowed
        future.set_exception(error)


def outcome(future: Future[T], deadline: Deadline) -> T:
    """Returns the value of `future`, or raises its error. Raises `TimeoutError` at the deadline."""
    while True:
        try:
            return future.result(timeout=deadline.patience())
        except TimeoutError:
            if future.done() or deadline.gone is None or deadline.passed:
                raise


class Helpers:
    """Threads for bounded waits, `limit` of them at a time."""

    def __init__(self, limit: int) -> None:
        self._slots = threading.BoundedSemaphore(limit)

    def start(self, work: Callable[[], T], name: str) -> Future[T] | None:
        """`work` under way; `None` when no thread is free."""
        if not self._slots.acquire(blocking=False):
            return None
        try:
            return start(lambda: self._finish(work), name)
        except RuntimeError:
            # The system has no thread to give.
            self._slots.release()
            return None

    def call(self, work: Callable[[], T], deadline: Deadline, name: str) -> T:
        """Runs `work` and returns its value or raises its error. Raises `TimeoutError` at the deadline, or at once when
        no thread is free.
        """
        future = self.start(work, name)
        if future is None:
            raise TimeoutError
        return outcome(future, deadline)

    def _finish(self, work: Callable[[], T]) -> T:
        try:
            return work()
        finally:
            self._slots.release()


class Lazy(Generic[T]):
    """A value made once, on first need, off the caller's thread.

    A failure is kept for `keep_failure` seconds, so that a broken setting is not tried again on every turn.
    """

    def __init__(self, make: Callable[[], T], *, name: str, clock: Clock, keep_failure: float = 30.0) -> None:
        self._make = make
        self._name = name
        self._clock = clock
        self._keep_failure = keep_failure
        self._lock = threading.Lock()
        self._future: Future[T] | None = None
        self._failed_at: float | None = None

    def start(self) -> Future[T]:
        """Begin making the value, unless it is made, being made, or failed a short while ago."""
        with self._lock:
            stale = self._failed_at is not None and self._clock() - self._failed_at >= self._keep_failure
            if self._future is None or stale:
                self._failed_at = None
                self._future = start(self._make_noting_failure, self._name)
            return self._future

    def get(self, deadline: Deadline) -> T:
        """The value. Raises `TimeoutError` at the deadline, else whatever making it raised."""
        try:
            return outcome(self.start(), deadline)
        except BaseException as error:  # noqa: BLE001  raised again
            # The same error is raised for many turns, and each would leave its frames, and what was said in it, behind.
            raise error.with_traceback(None) from error.__cause__

    def peek(self) -> Future[T] | None:
        """The value as far as it is there; `None` before anyone asked for it."""
        return self._future

    def _make_noting_failure(self) -> T:
        try:
            return self._make()
        except BaseException:
            self._failed_at = self._clock()
            raise
