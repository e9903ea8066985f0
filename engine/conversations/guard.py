"""A store that cannot fail a turn: whatever its storage raises is logged, and the room starts afresh.

A storage that hangs holds nobody up: it works in helper threads, a bounded number, and turns do without. One in this
process's own memory cannot hang, and a hand-over to a helper would cost many times its work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from logging import getLogger
from typing import TYPE_CHECKING, Any, TypeVar

from engine.concurrency import Helpers
from engine.conversations.items import Storage
from engine.conversations.layout import new_room
from engine.conversations.turns import Turns
from engine.core.deadline import Deadline
from engine.core.errors import BadCursor, RoomUnknown, StoreFailed, TurnConflict
from engine.core.rooms import NewTurn, Opened, Replay
from engine.core.turn import ChatRequest

if TYPE_CHECKING:
    from engine.conversations.rooms import Rooms

SAVING = 0.2
"""Seconds that a turn leaves for storing it."""
LOADING = 2.0
"""Seconds that a store may take to open a room, and never more than a quarter of the turn."""
PATIENCE = 5.0
"""Seconds for callers who are in no hurry."""
LATE = "the store did not answer in time"
_HELPERS = 64
_ASK_AGAIN = (0.02, 0.3)
"""Seconds between looks at another try of the same turn, at first and at most."""

T = TypeVar("T")
Run = Callable[[Callable[[], Any], float], Any]


class GuardedStore:
    """A `RoomStore` over any storage; `detail` says what it keeps rooms in."""

    reserve = SAVING

    def __init__(self, storage: Storage, detail: str, *, in_memory: bool = False) -> None:
        self.detail = detail
        self._storage = storage
        self._turns = Turns(storage)
        self._run = _directly if in_memory else _bounded()

    def open(self, request: ChatRequest, names: Collection[str], until: Deadline) -> Opened | Replay:
        turns, wait = self._turns, _ASK_AGAIN[0]
        pause = threading.Event()
        while True:
            try:
                return self._ask(
                    lambda: turns.open(request, names, until.remaining()), min(LOADING, until.remaining() / 4)
                )
            except TurnConflict as conflict:
                if conflict.reason != "turn_in_progress" or until.remaining() <= wait + SAVING:
                    raise
            except StoreFailed as error:
                warn("a room could not be read, so it starts afresh: %s", error)
                return Opened(room=request.session_id or new_room(request))
            pause.wait(wait)
            wait = min(2 * wait, _ASK_AGAIN[1])

    def append(self, opened: Opened, turn: NewTurn, until: Deadline) -> bool:
        if opened.entry is None:
            return False
        try:
            return self._ask(lambda: self._turns.append(opened, turn, until), until.remaining())
        except StoreFailed as error:
            warn("a turn could not be stored: %s", error)
            return False

    def release(self, opened: Opened, until: Deadline) -> None:
        if opened.entry is None or opened.entry.retry is None:
            return
        try:
            self._ask(lambda: self._turns.release(opened), until.remaining())
        except StoreFailed as error:
            warn("a turn without an answer could not be given up: %s", error)

    def on_rooms(self, work: Callable[[Rooms], T], seconds: float = PATIENCE) -> T:
        """What `work` returns. Raises `RoomUnknown`, `BadCursor`, and `StoreFailed` for whatever else happens."""
        from engine.conversations.rooms import Rooms

        try:
            return self._ask(lambda: work(Rooms(self._storage)), seconds)
        except StoreFailed as error:
            warn("rooms could not be read or changed: %s", error)
            raise

    def on_items(self, work: Callable[[Storage], T], seconds: float) -> T:
        """What `work` returns; raises `StoreFailed` for whatever happens."""
        return self._ask(lambda: work(self._storage), seconds)

    def _ask(self, work: Callable[[], T], seconds: float) -> T:
        """What `work` returns; raises what it says of a request, and `StoreFailed` for whatever else happens."""
        try:
            done: T = self._run(work, seconds)
        except (TurnConflict, RoomUnknown, BadCursor):
            raise
        except Exception as error:  # noqa: BLE001  whatever a store holds or does, it costs the memory only
            raise StoreFailed(_cause(error)) from None
        return done

    def close(self) -> None:
        self._storage.close()


def _cause(error: Exception) -> str:
    """What happened, without a word of what is stored: messages of others may quote it."""
    if isinstance(error, TimeoutError):
        return LATE
    if isinstance(error, StoreFailed):
        return str(error)
    return f"the store answered in another form ({type(error).__name__})"


def _directly(work: Callable[[], Any], _seconds: float) -> Any:
    return work()


def _bounded() -> Run:
    """Runs work for a number of seconds at most; raises `TimeoutError` then."""
    helpers = Helpers(_HELPERS)
    return lambda work, seconds: helpers.call(work, Deadline.after(seconds), "misaki-rooms")


def warn(message: str, about: object) -> None:
    getLogger(__name__).warning(message, about)
