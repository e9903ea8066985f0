"""Rooms in the memory of one process; where it is full, what was written the longest ago goes."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from engine.conversations.items import Change, Item, Items, Key, Lost, Put

MOST = 50_000
"""Items that are kept: each turn without an id begins a room, and nothing else would ever end it."""
_PURGE_EVERY = 1000


class MemoryStorage:
    """`most` bounds the items that are kept."""

    def __init__(self, *, most: int = MOST, now: Callable[[], float] = time.time) -> None:
        self._most = most
        self._now = now
        self._lock = threading.Lock()
        self._items: dict[Key, Item] = {}
        """In the order in which they were written."""
        self._names: dict[str, list[str]] = {}
        """The names of a partition's items, sorted."""
        self._writes = 0

    def get(self, keys: Sequence[Key]) -> Mapping[Key, Item]:
        with self._lock:
            return {key: item for key in keys if (item := self._found(key)) is not None}

    def page(self, partition: str, prefix: str, limit: int, *, after: str | None = None, newest: bool = False) -> Items:
        with self._lock:
            names = self._names.get(partition, [])
            first, end = bisect_left(names, prefix), bisect_left(names, prefix + "\U0010ffff")
            if after is not None:
                first, end = (first, bisect_left(names, after)) if newest else (bisect_right(names, after), end)
            places = reversed(range(first, end)) if newest else range(first, end)
            found = (self._found(Key(partition, names[place])) for place in places)
            return _page(found, limit, lambda item: (item.key.name, 0))

    def listed(self, partition: str, limit: int, after: tuple[str, int] | None = None) -> Items:
        with self._lock:
            found = [self._found(Key(partition, name)) for name in self._names.get(partition, [])]
        dated = [(item.updated, item.key.name, item) for item in found if item is not None and item.updated is not None]
        if after is not None:
            dated = [one for one in dated if one[:2] < (after[1], after[0])]
        dated.sort(key=lambda one: one[:2], reverse=True)
        return _page((item for _, _, item in dated), limit, lambda item: (item.key.name, item.updated or 0))

    def write(self, changes: Sequence[Change]) -> None:
        with self._lock:
            for change in changes:
                if change.found is not None and self._version(_key(change)) != change.found:
                    raise Lost
            for change in changes:
                self._remove(_key(change))
                if isinstance(change, Put):
                    self._add(change.item)
            while len(self._items) > self._most:
                self._remove(next(iter(self._items)))
            self._writes += 1
            if self._writes % _PURGE_EVERY == 0:
                self._purge()

    def discard(self, keys: Iterable[Key]) -> None:
        with self._lock:
            for key in keys:
                self._remove(key)

    def close(self) -> None:
        """Keeps what there is: a process ends with its memory."""

    def _found(self, key: Key) -> Item | None:
        item = self._items.get(key)
        return item if item is not None and item.expires > self._now() else None

    def _version(self, key: Key) -> int:
        item = self._found(key)
        return 0 if item is None else item.version

    def _add(self, item: Item) -> None:
        self._items[item.key] = item
        insort(self._names.setdefault(item.key.partition, []), item.key.name)

    def _remove(self, key: Key) -> None:
        if self._items.pop(key, None) is None:
            return
        names = self._names[key.partition]
        del names[bisect_left(names, key.name)]
        if not names:
            del self._names[key.partition]

    def _purge(self) -> None:
        now = self._now()
        for key in [key for key, item in self._items.items() if item.expires <= now]:
            self._remove(key)


def _key(change: Change) -> Key:
    return change.item.key if isinstance(change, Put) else change.key


def _page(found: Iterator[Item | None], limit: int, position: Callable[[Item], tuple[str, int]]) -> Items:
    """The first `limit` items of those that are there, and where the next page begins."""
    items: list[Item] = []
    for item in found:
        if item is None:
            continue
        if len(items) == limit:
            return Items(items=tuple(items), next=position(items[-1]) if items else None)
        items.append(item)
    return Items(items=tuple(items))
