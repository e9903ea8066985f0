"""What others see of a store: rooms and turns as their owners have them, pages of lists, and what it does, as types."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from engine.core.events import Outcome
from engine.core.ports import RoomStore
from engine.core.record import record

if TYPE_CHECKING:
    from engine.conversations.items import Storage
    from engine.conversations.rooms import Rooms

T = TypeVar("T")


@record
class Room:
    """A room as its owner sees it; times are seconds since 1970. Without a title of its own, it is called by the
    first words that were said in it.
    """

    id: str
    title: str | None
    turns: int
    created: float
    updated: float


@record
class StoredTurn:
    """One turn of a room; `number` is its place, from 1."""

    number: int
    at: float
    text: str
    outcome: Outcome
    latency_ms: float


@record
class Page(Generic[T]):
    """A part of a list; `cursor` leads to the next part, where there is one."""

    items: tuple[T, ...]
    cursor: str | None = None


class RoomKeeper(Protocol):
    """Reads and changes rooms for their owners, within a number of seconds. Raises what `Rooms` does, and `RoomsOff`
    where there are none.
    """

    def on_rooms(self, work: Callable[[Rooms], T], seconds: float) -> T: ...


class ItemKeeper(Protocol):
    """Works on the storage itself, within a number of seconds; raises `StoreFailed`."""

    def on_items(self, work: Callable[[Storage], T], seconds: float) -> T: ...


class Store(RoomStore, RoomKeeper, ItemKeeper, Protocol):
    """Keeps rooms for turns and for their owners, and counters; `detail` says in what, `none` where no room is kept."""

    detail: str
