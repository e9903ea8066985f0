"""Keeps the playground's conversations in memory: each turn as it was taken, to be explained, saved, gone back to."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Collection

from engine.api.errors import RequestError
from engine.conversations import open_store
from engine.conversations.records import Store
from engine.core.deadline import Deadline
from engine.core.plan import Plan
from engine.core.ports import RoomStore
from engine.core.record import record
from engine.core.rooms import NewTurn, Opened, Replay
from engine.core.turn import ChatRequest, Turn

TURNS = 200
"""Turns that are kept; older ones are forgotten."""
BRANCHES = 20
"""Conversations that were gone back to, and can be continued."""
_PATIENCE = 1.0
"""Seconds for a store in this process, which does not hang."""


@record
class Taken:
    """A turn as it was taken, the plan that answered it, and the turn `before` it in the conversation."""

    plan: Plan
    turn: Turn
    request: ChatRequest
    stored: NewTurn
    before: str | None


class Watched:
    """Rooms as one turn sees them: `opened` is what it began with, `stored` what it left."""

    def __init__(self, rooms: RoomStore) -> None:
        self._rooms = rooms
        self.reserve = rooms.reserve
        self.opened: Opened | None = None
        self.stored: NewTurn | None = None

    def open(self, request: ChatRequest, names: Collection[str], until: Deadline) -> Opened | Replay:
        found = self._rooms.open(request, names, until)
        if isinstance(found, Opened):
            self.opened = found
        return found

    def append(self, opened: Opened, turn: NewTurn, until: Deadline) -> bool:
        self.stored = turn
        return self._rooms.append(opened, turn, until)

    def release(self, opened: Opened, until: Deadline) -> None:
        self._rooms.release(opened, until)

    def close(self) -> None:
        """Leaves the rooms open for the other turns."""


class Talks:
    """The newest `turns` turns by name, and a store of rooms for each branch; the first one has no name."""

    def __init__(self, turns: int = TURNS) -> None:
        self._most = turns
        self._stores: OrderedDict[str, Store] = OrderedDict({"": open_store("memory")})
        self._turns: OrderedDict[str, Taken] = OrderedDict()
        self._latest: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def store(self, branch: str) -> Store:
        """Raises `RequestError` where the branch is no longer kept."""
        store = self._stores.get(branch)
        if store is None:
            raise RequestError(404, "branch_unknown", "this conversation is no longer kept: start over")
        return store

    def keep(self, branch: str, plan: Plan, turn: Turn, request: ChatRequest, stored: NewTurn) -> str:
        """Keeps the turn, and gives it a name."""
        name, room = os.urandom(8).hex(), (branch, turn.session_id)
        with self._lock:
            before = self._latest.get(room)
            self._turns[name] = Taken(plan=plan, turn=turn, request=request, stored=stored, before=before)
            self._latest[room] = name
            while len(self._turns) > self._most:
                gone, _ = self._turns.popitem(last=False)
                self._latest = {room: last for room, last in self._latest.items() if last != gone}
        return name

    def turn(self, name: str) -> Taken:
        """Raises `RequestError` where the turn is no longer kept."""
        with self._lock:
            taken = self._turns.get(name)
        if taken is None:
            raise RequestError(404, "turn_unknown", "this turn is no longer kept: say it again")
        return taken

    def until(self, name: str) -> list[Taken]:
        """The conversation from its beginning to a turn; raises `RequestError` where it is no longer kept whole."""
        found = [self.turn(name)]
        while found[-1].before is not None:
            found.append(self.turn(found[-1].before))
        return found[::-1]

    def fork(self, name: str) -> str:
        """Takes the conversation up to a turn once more, and gives the branch on which it goes on another way.

        It has a store of its own and the same session, which decides between wordings, so that it goes on as the
        first one would.
        """
        talk = self.until(name)
        store, branch, until = open_store("memory"), os.urandom(8).hex(), Deadline.after(_PATIENCE)
        for taken in talk:
            opened = store.open(taken.request, taken.plan.memory, until)
            if isinstance(opened, Opened):
                store.append(opened, taken.stored, until)
        with self._lock:
            self._stores[branch] = store
            self._latest[branch, talk[-1].turn.session_id] = name
            while len(self._stores) > BRANCHES + 1:
                gone = next(name for name in self._stores if name)
                self._stores.pop(gone).close()
        return branch

    def close(self) -> None:
        for store in self._stores.values():
            store.close()
