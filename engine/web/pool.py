"""Runs blocking calls in a bounded pool of daemon threads, and takes no more calls than it can serve soon.

Python runs one thread at a time, so threads that compete for it slow each other and the event loop down. One thread
answers the quick calls; others begin to help when a call has waited for a while, because those before it are slow.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")

STUCK = 0.005
"""Seconds that a call waits before another thread is started for it."""
PATIENCE = 0.25
"""Seconds after which a call that no thread has begun is given up."""
IDLE = 5.0
"""Seconds after which a thread that has nothing to do ends."""


class Busy(Exception):
    """There is no room for the call, or no thread became free in time; nothing of it ran."""


class Pool(Generic[T]):
    """At most `threads` calls run at once, and at most `waiting` wait for a thread."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads, self._waiting = threads, waiting
        self._calls: deque[tuple[Callable[[], T], Future[T]]] = deque()
        self._changed = threading.Condition()
        self._running = self._idle = 0
        self._closed = False

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises; raises `Busy` when it did not begin."""
        future = self._submit(call)
        loop = asyncio.get_running_loop()
        timers = (loop.call_later(STUCK, self._help), loop.call_later(PATIENCE, future.cancel))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if future.cancelled() and not _being_cancelled():
                raise Busy from None
            raise
        finally:
            for timer in timers:
                timer.cancel()

    def close(self) -> None:
        """End the threads that have nothing to do, and the others after what they do."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _submit(self, call: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        with self._changed:
            under_way = len(self._calls) + self._running - self._idle
            if self._closed or under_way >= self._threads + self._waiting:
                raise Busy
            if not self._running:
                self._start()
            self._calls.append((call, future))
            self._changed.notify()
        return future

    def _help(self) -> None:
        with self._changed:
            if self._calls and not self._idle and self._running < self._threads:
                self._start()

    def _start(self) -> None:
        try:
            threading.Thread(target=self._work, name="turn", daemon=True).start()
        except RuntimeError:
            # The system has no thread to give.
            if not self._running:
                raise Busy from None
        else:
            self._running += 1

    def _work(self) -> None:
        while (next_call := self._next()) is not None:
            call, future = next_call
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001  handed to whoever waits
                future.set_exception(error)

    def _next(self) -> tuple[Callable[[], T], Future[T]] | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._calls or self._closed, IDLE)
            self._idle -= 1
            if self._calls and not self._closed:
                return self._calls.popleft()
            self._running -= 1
            return None


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and bool(task.cancelling())
