"""Rooms as their owners use them: listing, naming, reading, claiming, exporting, deleting.

What takes many writes can be cut off after any of them and done again: it first marks what it will do, then does it
piece by piece, and removes the mark last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.conversations import codec, layout
from engine.conversations.cursor import Cursors
from engine.conversations.items import Item, Key, Lost, Put, Storage
from engine.conversations.layout import DAY, Header, read_header, room_of
from engine.conversations.records import Page, Room, StoredTurn
from engine.core.errors import RoomUnknown
from engine.core.record import replace
from engine.core.rooms import Learned, Visits
from engine.core.turn import ANONYMOUS, Principal

GUESSABLE = 20
"""Characters that the id of a room without an owner has at least, for anybody to read it: shorter ones, which clients
make up, can be guessed.
"""
_PIECE = 200
"""Items that are read at once."""
_BATCH = 50
"""Items that are moved in one write."""


class Rooms:
    """Raises `RoomUnknown`, `BadCursor` and `StoreFailed`. A `principal` who is no user has the room that is named."""

    def __init__(self, storage: Storage, now: Callable[[], float] = time.time) -> None:
        self._storage = storage
        self._cursors = Cursors(storage, now)
        self._now = now

    def listed(self, principal: Principal, limit: int, cursor: str | None) -> Page[Room]:
        """Rooms of a user, the one with the newest turn first."""
        partition = layout.partition_of(principal, "")
        scope = f"rooms {partition}"
        after = None if cursor is None else self._cursors.read(scope, cursor)
        page = self._storage.listed(partition, limit, after)
        following = None if page.next is None else self._cursors.write(scope, page.next)
        return Page(items=tuple(map(room_of, page.items)), cursor=following)

    def create(self, principal: Principal, room: str, title: str | None) -> Room:
        partition = layout.partition_of(principal, room)
        header = Header(created=round(self._now(), 3), title=title)
        item = self._header_item(layout.room_key(partition, room), header, 1)
        self._storage.write([Put(item, 0)])
        return room_of(item)

    def room(self, principal: Principal, room: str) -> Room:
        return room_of(self._item(principal, room))

    def rename(self, principal: Principal, room: str, title: str | None) -> Room:
        while True:
            item = self._item(principal, room)
            text = layout.header_text(replace(read_header(item), title=title))
            renamed = replace(item, data=text, version=item.version + 1)
            try:
                self._storage.write([Put(renamed, item.version)])
            except Lost:
                continue
            return room_of(renamed)

    def turns(self, principal: Principal, room: str, limit: int, before: str | None) -> Page[StoredTurn]:
        """The newest turns, or those before a cursor, the oldest first."""
        key = self._item(principal, room).key
        scope = f"turns {key.partition} {key.name}"
        after = None if before is None else self._cursors.read(scope, before)[0]
        page = self._storage.page(key.partition, layout.turns_prefix(room), limit, after=after, newest=True)
        turns = [codec.read_turn(layout.number_of_turn(item.key), item.data) for item in reversed(page.items)]
        return Page(items=tuple(turns), cursor=None if page.next is None else self._cursors.write(scope, page.next))

    def delete(self, principal: Principal, room: str) -> None:
        """Nobody sees the room from the first write on."""
        key, header = self._mark_deleted(principal, room)
        if principal.kind == "user":
            self._discard(key.partition, layout.turns_prefix(room))
            self._discard(key.partition, "I#", lambda one: codec.from_text(one.data, _room_of_retry) == room)
            if header.claimed:
                self._empty_claimed(key.partition, room)
        else:
            self._discard(key.partition, "", lambda one: one.key != key)
        self._storage.discard([key])

    def _mark_deleted(self, principal: Principal, room: str) -> tuple[Key, Header]:
        while True:
            item = self._item(principal, room, even_deleted=True)
            header = replace(read_header(item), gone="deleted", title=None, first="")
            if read_header(item).gone:
                return item.key, header
            data = layout.header_text(header)
            marked = replace(item, data=data, state="", version=item.version + 1, updated=None)
            try:
                self._storage.write([Put(marked, item.version)])
            except Lost:
                continue
            return item.key, header

    def claim(self, principal: Principal, room: str) -> Room:
        """The room without an owner becomes the user's, once; what is remembered in it, where the user has nothing
        under that name.
        """
        theirs = layout.partition_of(ANONYMOUS, room)
        mine = layout.partition_of(principal, room)
        source, target = layout.room_key(theirs, room), layout.room_key(mine, room)
        mark = layout.claim_key(mine, room)
        while True:
            found = self._storage.get([source, target, mark])
            if target in found:
                header = read_header(found[target])
                if header.claimed and not header.gone:
                    self._finish_claim(theirs, mark, source)
                    return room_of(found[target])
                raise RoomUnknown("there is no such room to claim")
            if source not in found or len(room) < GUESSABLE:
                raise RoomUnknown("there is no such room to claim")
            item = found[source]
            header = read_header(item)
            if header.taker == mine and mark in found:
                break
            if header.gone:
                raise RoomUnknown("there is no such room to claim")
            data = layout.header_text(replace(header, gone="claimed", taker=mine))
            taken = replace(item, data=data, version=item.version + 1)
            marked = Item(key=mark, data='""', expires=taken.expires)
            try:
                self._storage.write([Put(taken, item.version), Put(marked, 0)])
            except Lost:
                continue
            break
        self._move(theirs, mine)
        kept = replace(header, gone="", taker="", claimed=True)
        moved = self._header_item(target, kept, 1, state=item.state, updated=item.updated)
        try:
            self._storage.write([Put(moved, 0)])
        except Lost:
            # The same claim, tried at once, was faster.
            return self.room(principal, room)
        self._finish_claim(theirs, mark, source)
        return room_of(moved)

    def introduce(self, principal: Principal, room: str, memory: Mapping[str, Learned], visits: Visits) -> None:
        """Put what is known of a visitor before the first turn; `room` is where somebody without an account is."""
        partition = layout.partition_of(principal, room)
        expires = int(self._now()) + layout.days_kept(partition) * DAY
        known = {layout.memory_key(partition, name): codec.learned_text(one) for name, one in memory.items()}
        known[layout.visits_key(partition)] = codec.visits_text(visits)
        self._storage.write([Put(Item(key=key, data=data, expires=expires)) for key, data in known.items()])

    def visits(self, principal: Principal) -> Visits | None:
        key = layout.visits_key(layout.partition_of(principal, ""))
        item = self._storage.get([key]).get(key)
        return None if item is None else codec.read_visits(item.data)

    def memory(self, principal: Principal) -> dict[str, Learned]:
        found = self._items(layout.partition_of(principal, ""), "M#")
        return {layout.name_of(item.key): codec.read_learned(item.data) for item in found}

    def forget(self, principal: Principal, name: str) -> bool:
        """Whether there was such a memory."""
        key = layout.memory_key(layout.partition_of(principal, ""), name)
        known = key in self._storage.get([key])
        self._storage.discard([key])
        return known

    def export(self, principal: Principal, limit: int, cursor: str | None) -> Page[Any]:
        """Everything that is kept of a user, as `(name, value)`: `Room`, `(room, StoredTurn)`, `Learned`, `Visits`."""
        partition = layout.partition_of(principal, "")
        scope = f"export {partition}"
        after = None if cursor is None else self._cursors.read(scope, cursor)[0]
        page = self._storage.page(partition, "", limit, after=after)
        items = tuple(entry for entry in map(_exported, page.items) if entry is not None)
        return Page(items=items, cursor=None if page.next is None else self._cursors.write(scope, page.next))

    def erase(self, principal: Principal) -> None:
        """Everything of a user, and what is left of rooms that were being claimed or had been."""
        partition = layout.partition_of(principal, "")
        for item in self._items(partition, "C#"):
            self._empty_claimed(partition, layout.name_of(item.key))
        for item in self._items(partition, "R#"):
            if "#T#" not in item.key.name and read_header(item).claimed:
                self._empty_claimed(partition, layout.name_of(item.key))
        self._discard(partition, "")

    def _empty_claimed(self, partition: str, room: str) -> None:
        """Remove what is left of a claimed room where it was before, and the mark of the claim."""
        theirs = layout.partition_of(ANONYMOUS, room)
        source = layout.room_key(theirs, room)
        found = self._storage.get([source]).get(source)
        if found is not None and read_header(found).gone == "claimed" and read_header(found).taker in ("", partition):
            self._discard(theirs, "", lambda one: one.key != source)
            self._storage.discard([source])
        self._storage.discard([layout.claim_key(partition, room)])

    def _finish_claim(self, theirs: str, mark: Key, source: Key) -> None:
        """Empty the partition and leave a header that tells nobody's name, so that the room is claimed once."""
        self._discard(theirs, "", lambda one: one.key != source)
        found = self._storage.get([source]).get(source)
        if found is not None and read_header(found).taker:
            empty = Header(created=read_header(found).created, gone="claimed")
            left = self._header_item(source, empty, found.version + 1)
            self._storage.write([Put(replace(left, updated=None))])
        self._storage.discard([mark])

    def _move(self, theirs: str, mine: str) -> None:
        """Copy turns, keys of turns, memory and visits; what is there already stays."""
        expires = int(self._now()) + layout.days_kept(mine) * DAY
        for item in self._items(theirs, ""):
            if item.key.name.startswith("R#") and "#T#" not in item.key.name:
                continue
            kept = item.expires if item.key.name.startswith("I#") else expires
            if item.key.name.startswith("M#"):
                kept = layout.memory_expires(codec.read_learned(item.data), expires)
            copy = replace(item, key=Key(mine, item.key.name), expires=kept)
            try:
                self._storage.write([Put(copy, 0)])
            except Lost:
                continue

    def _item(self, principal: Principal, room: str, *, even_deleted: bool = False) -> Item:
        key = layout.room_key(layout.partition_of(principal, room), room)
        item = self._storage.get([key]).get(key)
        shown = ("", "deleted") if even_deleted else ("",)
        if item is None or read_header(item).gone not in shown or (principal.kind != "user" and len(room) < GUESSABLE):
            raise RoomUnknown("there is no such room")
        return item

    def _header_item(
        self, key: Key, header: Header, version: int, *, state: str = "", updated: int | None = None
    ) -> Item:
        return Item(
            key=key,
            data=layout.header_text(header),
            state=state,
            version=version,
            expires=int(self._now()) + layout.days_kept(key.partition) * DAY,
            updated=updated or int(self._now() * 1000),
        )

    def _items(self, partition: str, prefix: str) -> Iterator[Item]:
        after = None
        while True:
            page = self._storage.page(partition, prefix, _PIECE, after=after)
            yield from page.items
            if page.next is None:
                return
            after = page.next[0]

    def _discard(self, partition: str, prefix: str, chosen: Callable[[Item], bool] = lambda _: True) -> None:
        after = None
        while True:
            page = self._storage.page(partition, prefix, _PIECE, after=after)
            self._storage.discard([item.key for item in page.items if chosen(item)])
            if page.next is None:
                return
            after = page.next[0]


def _room_of_retry(data: Any) -> str:
    return str(data["room"])


def _exported(item: Item) -> tuple[str, Any] | None:
    name = item.key.name
    if name == "V":
        return "visits", codec.read_visits(item.data)
    if name.startswith("M#"):
        return layout.name_of(item.key), codec.read_learned(item.data)
    if not name.startswith("R#"):
        return None
    if "#T#" in name:
        return layout.name_of(item.key), codec.read_turn(layout.number_of_turn(item.key), item.data)
    return None if read_header(item).gone else (layout.name_of(item.key), room_of(item))
