"""Retries calls that may succeed and fit the deadline, and no more than a share of all calls.

Retries hide a hiccup and double an outage; the budget, shared by all turns, keeps the second from happening. Knows
only the type of errors and the time that is left.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from engine.core.deadline import LEAST, Deadline
from engine.core.errors import BackendError
from engine.core.record import record

T = TypeVar("T")

Random = Callable[[], float]
"""Uniform in [0, 1)."""


@record
class RetryPolicy:
    """At most `attempts`, waits up to `base` seconds doubled each time, and `least` seconds for each attempt."""

    attempts: int = 3
    base: float = 0.2
    least: float = LEAST


class RetryBudget:
    """Retries for all turns together: `share` of the first attempts, and `reserve` to begin with.

    What is not used is kept, up to `most`. Safe to share between threads.
    """

    def __init__(self, *, share: float = 0.2, reserve: float = 1.0, most: float = 10.0) -> None:
        self._share = share
        self._most = most
        self._left = reserve
        self._lock = threading.Lock()

    def deposit(self) -> None:
        """A first attempt is made."""
        with self._lock:
            self._left = min(self._most, self._left + self._share)

    def withdraw(self) -> bool:
        """Spends one more retry, and tells whether it was within the budget."""
        with self._lock:
            # Shares such as 0.2 add up to a whole with a rounding error.
            if self._left < 1.0 - 1e-9:
                return False
            self._left -= 1.0
            return True


@record
class Retries:
    """The loop, with what it needs from the outside; one `budget` is shared by all models."""

    policy: RetryPolicy
    budget: RetryBudget
    pause: Callable[[float], None] = time.sleep
    uniform: Random = random.random

    def call(self, attempt: Callable[[Deadline], T], deadline: Deadline) -> T:
        """Returns the value of the first attempt that succeeds; else raises the error of the last one that called.

        Waits have full jitter (uniform between 0 and the exponential bound); where the provider said how long, that
        long at least — or not at all, if it does not fit the deadline.
        """
        self.budget.deposit()
        tried = 0
        last: BackendError | None = None
        while True:
            tried += 1
            try:
                return attempt(deadline)
            except BackendError as error:
                if last is not None and not error.called:
                    raise last from None
                last = error.with_traceback(None)
                wait = self._wait(error, tried)
                if wait is None or deadline.remaining() < wait + self.policy.least or not self.budget.withdraw():
                    raise
            if deadline.gone is None:
                self.pause(wait)
            else:
                deadline.gone.wait(wait)

    def _wait(self, error: BackendError, tried: int) -> float | None:
        """Seconds to wait before the next attempt; `None` when there must be none."""
        if not error.retryable or tried >= self.policy.attempts:
            return None
        if error.retry_after is not None:
            return error.retry_after + self.uniform() * self.policy.base
        return self.uniform() * self.policy.base * 2.0 ** (tried - 1)
