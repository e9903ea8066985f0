"""Counts turns and money by day, so that many at once never have more than a limit.

A counter is an item; who takes something writes all the counters that it touches together, on condition that nobody
changed one meanwhile. Money is held before it is spent; what is held and never settled is free again when its time is
over, so that a process that dies leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.conversations.items import Item, Key, Lost, Put, Storage
from engine.core.deadline import Deadline
from engine.core.errors import StoreFailed
from engine.core.record import record

if TYPE_CHECKING:
    from engine.conversations.records import ItemKeeper

_KEPT = 24 * 3600
"""Seconds that a counter outlives its day, for calls that end later."""
_PAUSE = 0.02
"""Seconds at most between two tries, where a process elsewhere was faster."""
_ENCODER = json.JSONEncoder(separators=(",", ":"))


@record
class Day:
    """`name` tells it from other days of the same pipeline; `ends` is in seconds since 1970."""

    pipeline: str
    name: str
    ends: float


@record(kw_only=False)
class Bound:
    """Whose counter it is, and how much he may have."""

    who: str
    limit: int


class _Counter:
    """What was had on a day: turns, money that is spent, and what is held, by its name, with the time it is free."""

    def __init__(self, item: Item | None) -> None:
        data = {} if item is None else _read(item.data)
        self.version = 0 if item is None else item.version
        self.turns, self.spent = int(data.get("turns", 0)), int(data.get("spent", 0))
        self.held = {str(name): (int(amount), float(until)) for name, (amount, until) in data.get("held", {}).items()}

    def tied(self, now: float) -> int:
        """Money that is spent or held."""
        self.held = {name: one for name, one in self.held.items() if one[1] > now}
        return self.spent + sum(amount for amount, _ in self.held.values())

    def put(self, key: Key, day: Day) -> Put:
        data = _ENCODER.encode({"turns": self.turns, "spent": self.spent, "held": self.held})
        return Put(Item(key=key, data=data, version=self.version + 1, expires=int(day.ends) + _KEPT), self.version)


_Change = Callable[[Sequence[_Counter]], bool]


class Counters:
    """Raises `StoreFailed` where the store does not answer: then nothing is taken, or held until it is free again."""

    def __init__(self, store: ItemKeeper, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now
        self._one_at_a_time = threading.Lock()

    def take_turn(self, day: Day, bounds: Sequence[Bound], until: Deadline) -> bool:
        """One turn from each of `bounds`, or from none; whether there was one."""

        def take(counters: Sequence[_Counter]) -> bool:
            if any(counter.turns >= bound.limit for counter, bound in zip(counters, bounds, strict=True)):
                return False
            for counter in counters:
                counter.turns += 1
            return True

        return self._change(day, bounds, take, until)

    def hold(self, day: Day, bounds: Sequence[Bound], amount: int, seconds: float, until: Deadline) -> str | None:
        """Hold `amount` for so many seconds; its name, or `None` where one of `bounds` has less left."""
        name = os.urandom(8).hex()

        def hold(counters: Sequence[_Counter]) -> bool:
            now = self._now()
            if any(one.tied(now) + amount > bound.limit for one, bound in zip(counters, bounds, strict=True)):
                return False
            for counter in counters:
                counter.held[name] = (amount, now + seconds)
            return True

        return name if self._change(day, bounds, hold, until) else None

    def settle(self, day: Day, bounds: Sequence[Bound], name: str, amount: int, until: Deadline) -> None:
        """Spend `amount` in the place of what is held by this name."""

        def settle(counters: Sequence[_Counter]) -> bool:
            for counter in counters:
                counter.held.pop(name, None)
                counter.spent += amount
            return True

        self._change(day, bounds, settle, until)

    def taken(self, day: Day, whose: Sequence[str], until: Deadline) -> tuple[tuple[int, int], ...]:
        """Turns that were taken from each of `whose` counters, and money that is spent or held."""
        keys = [_key(day, who) for who in whose]
        found = self._store.on_items(lambda storage: storage.get(keys), max(until.remaining(), 0.0))
        counters = [_Counter(found.get(key)) for key in keys]
        return tuple((counter.turns, counter.tied(self._now())) for counter in counters)

    def _change(self, day: Day, bounds: Sequence[Bound], change: _Change, until: Deadline) -> bool:
        """Write what `change` makes of the counters, unless it says no; again where another writer was faster."""
        keys = [_key(day, bound.who) for bound in bounds]

        def work(storage: Storage) -> bool:
            # Writers of this process would only get in each other's way.
            if not self._one_at_a_time.acquire(timeout=max(until.remaining(), 0.0)):
                raise TimeoutError
            try:
                while not _try(storage, keys, day, change):
                    if until.remaining() <= 0:
                        raise TimeoutError
                    threading.Event().wait(int.from_bytes(os.urandom(1)) / 255 * _PAUSE)
            except _Refused:
                return False
            finally:
                self._one_at_a_time.release()
            return True

        return self._store.on_items(work, max(until.remaining(), 0.0))


def _key(day: Day, who: str) -> Key:
    return Key(f"L#{day.pipeline}#{day.name}", who)


class _Refused(Exception):
    """A change that some counter has no room for."""


def _try(storage: Storage, keys: Sequence[Key], day: Day, change: _Change) -> bool:
    """Whether the change was written; not where another writer was faster."""
    found = storage.get(keys)
    counters = [_Counter(found.get(key)) for key in keys]
    if not change(counters):
        raise _Refused
    try:
        storage.write([counter.put(key, day) for key, counter in zip(keys, counters, strict=True)])
    except Lost:
        return False
    return True


def _read(text: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise StoreFailed("the store holds a counter of another form")
    return data
