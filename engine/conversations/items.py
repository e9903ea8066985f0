"""The storage port: items under a partition and a sort key, read in pages and written together or not at all.

Everything that rooms need is built on these few operations, so that the stores differ in nothing else. An item whose
time has come is absent, whether its store has deleted it yet or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from engine.core.record import record


@record(kw_only=False)
class Key:
    """`partition` holds what one owner has; `name` is unique in it, and lists are sorted by it."""

    partition: str
    name: str


@record
class Item:
    """`data` and `state` are JSON texts; lists by `updated`, the milliseconds of the last change, leave out `state`.

    `version` counts the changes; `expires` is in seconds since 1970.
    """

    key: Key
    data: str
    state: str = ""
    version: int = 1
    expires: int
    updated: int | None = None


@record(kw_only=False)
class Put:
    """Writes `item`, if its place still holds the `found` version: 0 where it must be empty, `None` for any."""

    item: Item
    found: int | None = None


@record(kw_only=False)
class Remove:
    """Removes the item at `key`, if it still is the `found` version; `None` for any, or for none at all."""

    key: Key
    found: int | None = None


Change = Put | Remove


class Lost(Exception):
    """Another writer was faster: nothing was written."""


@record
class Items:
    """A page; `next` is the position after which the next one begins, or `None` at the end."""

    items: tuple[Item, ...]
    next: tuple[str, int] | None = None
    """The name of the last item that was looked at, and its `updated`, which is 0 in lists by name."""


class Storage(Protocol):
    """Raises `StoreFailed`, and `write` also `Lost`."""

    def get(self, keys: Sequence[Key]) -> Mapping[Key, Item]: ...

    def page(self, partition: str, prefix: str, limit: int, *, after: str | None = None, newest: bool = False) -> Items:
        """Items whose names begin with `prefix`, in their order, or the other way round where the newest come first."""

    def listed(self, partition: str, limit: int, after: tuple[str, int] | None = None) -> Items:
        """Items that have an `updated`, newest first."""

    def write(self, changes: Sequence[Change]) -> None:
        """All of at most 100 changes to different items, or none of them."""

    def discard(self, keys: Iterable[Key]) -> None:
        """Removes any number of items, some of them perhaps before it fails."""

    def close(self) -> None: ...
