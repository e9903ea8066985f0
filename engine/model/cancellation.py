"""Calls off a wait: the other way, besides the time, in which a deadline ends.

Whoever waits registers what ends its wait at once: shutting a socket, setting an event. Whoever no longer wants the
answer cancels, from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Wake = Callable[[], object]
"""Ends a wait. Runs on the thread that cancels, with the registrations locked: it must be quick and raise nothing."""


class Cancellation:
    """Safe to share between threads; once cancelled it stays so."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wakes: dict[object, Wake] = {}
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """End every wait that is registered, and those to come. What was registered has been woken on return."""
        with self._lock:
            self._cancelled = True
            for wake in self._wakes.values():
                wake()

    @contextmanager
    def waking(self, wake: Wake) -> Iterator[None]:
        """Have `wake` called when this is cancelled, or at once if it is; never after the block has ended."""
        key = object()
        with self._lock:
            self._wakes[key] = wake
            if self._cancelled:
                wake()
        try:
            yield
        finally:
            with self._lock:
                del self._wakes[key]
