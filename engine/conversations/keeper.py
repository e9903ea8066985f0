"""What others need of a store, as types: turns open and add, owners list and change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from engine.core.ports import RoomStore

if TYPE_CHECKING:
    from engine.conversations.items import Storage
    from engine.conversations.rooms import Rooms

T = TypeVar("T")


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
