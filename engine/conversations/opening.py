"""From the setting `SESSION_STORE` to a store."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from logging import getLogger
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from engine.core.deadline import Deadline
from engine.core.errors import RoomsOff
from engine.core.rooms import NewTurn, Opened
from engine.core.turn import ChatRequest

if TYPE_CHECKING:
    from engine.conversations.guard import GuardedStore
    from engine.conversations.items import Storage
    from engine.conversations.records import Store
    from engine.conversations.rooms import Rooms

T = TypeVar("T")
_TABLE = r"[A-Za-z0-9_.-]{3,255}"


class NoRooms:
    """A `RoomStore` that keeps nothing. Counters of limits, which keep no words, are there while the process is."""

    reserve = 0.0

    def __init__(self, detail: str = "none") -> None:
        self.detail = detail
        self._opening = Lock()
        self._counters: GuardedStore | None = None

    def open(self, request: ChatRequest, _names: Collection[str], _until: Deadline) -> Opened:
        return Opened(room=request.session_id or os.urandom(16).hex())

    def append(self, _opened: Opened, _turn: NewTurn, _until: Deadline) -> bool:
        return False

    def on_rooms(self, _work: Callable[[Rooms], T], _seconds: float) -> T:
        raise RoomsOff("this service keeps no rooms")

    def on_items(self, work: Callable[[Storage], T], seconds: float) -> T:
        with self._opening:
            if self._counters is None:
                self._counters = _in_memory()
        return self._counters.on_items(work, seconds)

    def release(self, opened: Opened, until: Deadline) -> None: ...

    def close(self) -> None:
        if self._counters is not None:
            self._counters.close()


def open_store(setting: str) -> Store:
    """The store that `none`, `memory`, `sqlite:PATH` or `dynamodb:TABLE` names.

    Never fails: a setting of another form is logged and gives a store that remembers nothing, and a place that cannot
    be reached costs the bot its memory only.
    """
    kind, _, place = setting.strip().partition(":")
    if kind in ("", "none") and not place:
        return NoRooms()
    if (kind == "memory" and not place) or (kind == "sqlite" and place == ":memory:"):
        return _in_memory()
    if kind == "sqlite" and place:
        from engine.conversations.guard import GuardedStore
        from engine.conversations.sqlite import SqliteStorage

        return GuardedStore(SqliteStorage(place), f"sqlite:{place}")
    if kind == "dynamodb" and re.fullmatch(_TABLE, place):
        from engine.conversations.dynamodb import DynamoStorage
        from engine.conversations.guard import GuardedStore

        return GuardedStore(DynamoStorage(place), f"dynamodb:{place}")
    problem = "SESSION_STORE is none of `none`, `memory`, `sqlite:PATH` and `dynamodb:TABLE`"
    getLogger(__name__).warning("%s, so nothing is remembered between turns", problem)
    return NoRooms(f"none ({problem})")


def _in_memory() -> GuardedStore:
    from engine.conversations.guard import GuardedStore
    from engine.conversations.memory import MemoryStorage

    return GuardedStore(MemoryStorage(), "memory", in_memory=True)
