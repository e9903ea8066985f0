"""Turns in their rooms: what one begins with, how it is added behind all others, and what a retry of it gets.

Turns are never changed. One is added in a single write together with its room's header, on the condition that nobody
else has changed the header since it was read; who loses that race reads it again and comes next.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from engine.conversations import codec, layout
from engine.conversations.items import Change, Item, Key, Lost, Put, Remove, Storage
from engine.conversations.layout import DAY, Header, read_header
from engine.core.deadline import Deadline
from engine.core.digest import digest
from engine.core.errors import TurnConflict
from engine.core.record import field, record, replace
from engine.core.rooms import Learned, NewTurn, Opened, Replay, SessionState, Visits
from engine.core.turn import ChatRequest

AWAY = 6 * 3600.0
"""Seconds after which somebody who comes back has come again."""
SEEN_EVERY = 300.0
"""Seconds in which it is noted once that somebody is there."""
RETRIES_KEPT = DAY
"""Seconds in which a turn with a key can be asked for again."""
LEASE = 2.0
"""Seconds beyond its deadline in which a turn may still be stored; after them a retry runs it anew."""
_JITTER = 0.02
"""Seconds at most before the next try of who has lost a race twice."""


@record
class _Retry:
    """What is kept of a turn's key; `seq` is 0 while its first try is running, which it may until `lease`."""

    digest: str
    room: str
    seq: int = 0
    lease: float = 0.0


@record
class _Entry:
    """What a turn found; `keys` are those of everything that it may change."""

    partition: str
    header: Header | None
    found: Mapping[Key, Item] = field(repr=False)
    said: codec.Said = field(repr=False)
    visits: Visits
    retry: Key | None
    retry_version: int
    digest: str


class Turns:
    """Opens and adds turns; raises `StoreFailed`, and `open` also `TurnConflict`."""

    def __init__(self, storage: Storage, now: Callable[[], float] = time.time) -> None:
        self._storage = storage
        self._now = now

    def open(self, request: ChatRequest, names: Collection[str], seconds: float) -> Opened | Replay:
        """What the turn begins with; `names` are those of the memory that it may use, `seconds` what it may take."""
        room = request.session_id or layout.new_room(request)
        found = self._found(request, room, names)
        if (header := _header(found, request, room)) is not None and header.gone:
            # Whoever still has the address of a room that was claimed or deleted begins another one.
            room = layout.new_room(request, instead_of=room)
            found = self._found(request, room, names)
            header = _header(found, request, room)
        partition = layout.partition_of(request.principal, room)
        retry, version = None, 0
        if request.turn_key is not None:
            retry = layout.retry_key(partition, request.turn_key)
            other = self._begin(request, room, retry, found.get(retry), seconds)
            if isinstance(other, Replay):
                return other
            version = other
        said, talk = codec.read_said(found[layout.room_key(partition, room)].state if header else "")
        visits = self._visits(found.get(layout.visits_key(partition)), request)
        return Opened(
            room=room,
            state=SessionState(header.turns if header else 0, self._history(partition, room, header), said, talk),
            memory={
                name: codec.read_learned(found[key].data)
                for name in names
                if (key := layout.memory_key(partition, name)) in found
            },
            visits=visits,
            entry=_Entry(
                partition=partition,
                header=header,
                found=found,
                said=said,
                visits=visits,
                retry=retry,
                retry_version=version,
                digest=_digest(request),
            ),
        )

    def append(self, opened: Opened, new: NewTurn, until: Deadline) -> bool:
        """Whether the turn is stored. It is not where the room was deleted meanwhile, or another try came first."""
        entry: _Entry = opened.entry
        found, tries = entry.found, 0
        room_key = layout.room_key(entry.partition, opened.room)
        while True:
            header = read_header(found[room_key]) if room_key in found else None
            if (header is None and entry.header is not None) or (header is not None and header.gone):
                return False
            if entry.retry is not None and tries and _version(found, entry.retry) != entry.retry_version:
                return False
            try:
                self._storage.write(self._changes(opened, new, found, header))
            except Lost:
                if until.passed:
                    return False
                tries += 1
                if tries > 1:
                    time.sleep(int.from_bytes(os.urandom(1)) / 255 * _JITTER)
                keys = [room_key, layout.visits_key(entry.partition), *([entry.retry] if entry.retry else [])]
                memory = [key for key in entry.found if key.name.startswith("M#")]
                found = self._storage.get([*keys, *memory])
            else:
                return True

    def release(self, opened: Opened) -> None:
        """Let a retry run anew: this turn came to nothing."""
        entry: _Entry = opened.entry
        if entry.retry is not None:
            try:
                self._storage.write([Remove(entry.retry, entry.retry_version)])
            except Lost:
                return

    def _found(self, request: ChatRequest, room: str, names: Collection[str]) -> dict[Key, Item]:
        if request.session_id is None and request.turn_key is None and request.principal.kind != "user":
            # Nobody has ever been in a room with a new id.
            return {}
        partition = layout.partition_of(request.principal, room)
        keys = [layout.room_key(partition, room), layout.visits_key(partition)]
        keys += [layout.memory_key(partition, name) for name in names]
        if request.turn_key is not None:
            keys.append(layout.retry_key(partition, request.turn_key))
        return dict(self._storage.get(keys))

    def _begin(self, request: ChatRequest, room: str, key: Key, item: Item | None, seconds: float) -> int | Replay:
        """The version of the key's item, where this is the first try of the turn, or the first that is not dead."""
        while True:
            if item is not None:
                known = codec.from_text(item.data, _retry)
                if known.digest != _digest(request):
                    raise TurnConflict("turn_key_reused")
                if not known.seq and known.lease > self._now():
                    raise TurnConflict("turn_in_progress")
                if known.seq:
                    replay = self._replay(key.partition, known)
                    if replay is not None:
                        return replay
            version = 0 if item is None else item.version
            lease = self._now() + seconds + LEASE
            retry = _Retry(digest=_digest(request), room=room, lease=lease)
            try:
                self._storage.write([Put(self._retry_item(key, retry, version + 1), version)])
            except Lost:
                item = self._storage.get([key]).get(key)
            else:
                return version + 1

    def _replay(self, partition: str, known: _Retry) -> Replay | None:
        """`None` where the room was deleted since."""
        key = layout.turn_key(partition, known.room, known.seq)
        item = self._storage.get([key]).get(key)
        if item is None:
            return None
        turn = codec.read_turn(known.seq, item.data)
        return Replay(room=known.room, outcome=turn.outcome, latency_ms=turn.latency_ms)

    def _history(self, partition: str, room: str, header: Header | None) -> tuple[Any, ...]:
        if header is None or not header.seq:
            return ()
        newest = self._storage.page(
            partition, layout.turns_prefix(room), codec.HISTORY_MESSAGES // 2, newest=True
        ).items
        return codec.read_messages([item.data for item in reversed(newest)])

    def _visits(self, item: Item | None, request: ChatRequest) -> Visits:
        now = self._time(request.now.timestamp() if request.now else None)
        if item is None:
            return Visits(seen=now)
        before = codec.read_visits(item.data)
        away = now - before.seen
        if away >= AWAY:
            return Visits(number=before.number + 1, away=away / DAY, seen=now)
        return replace(before, seen=max(now, before.seen))

    def _changes(self, opened: Opened, new: NewTurn, found: Mapping[Key, Item], header: Header | None) -> list[Change]:
        entry: _Entry = opened.entry
        partition = entry.partition
        at = self._time(new.at)
        expires = int(self._now()) + layout.days_kept(partition) * DAY
        after = layout.after_turn(header, new.text, new.number, at)
        room_key = layout.room_key(partition, opened.room)
        state = found[room_key].state if room_key in found else ""
        # Who has not lost a race knows what the state holds.
        said = entry.said if found is entry.found else codec.read_said(state)[0]
        outcome = new.outcome
        if outcome.reply_id is not None and outcome.variant is not None:
            said = said.also(outcome.reply_id, outcome.variant)

        def item(key: Key, data: str, **more: Any) -> Item:
            return Item(**{"key": key, "data": data, "version": _version(found, key) + 1, "expires": expires, **more})

        updated = max(int(self._now() * 1000), (found[room_key].updated or 0) + 1 if room_key in found else 0)
        state = codec.said_text(said, new.talk)
        changes: list[Change] = [
            Put(item(room_key, layout.header_text(after), state=state, updated=updated), _version(found, room_key)),
            Put(
                item(
                    layout.turn_key(partition, opened.room, after.seq),
                    codec.turn_text(new, at, first=header is None),
                ),
                0,
            ),
        ]
        if entry.retry is not None:
            done = _Retry(digest=entry.digest, room=opened.room, seq=after.seq)
            changes.append(Put(self._retry_item(entry.retry, done, entry.retry_version + 1), entry.retry_version))
        return [*changes, *self._visit(entry, found, item), *self._learned(entry, new, found, at, item)]

    def _visit(self, entry: _Entry, found: Mapping[Key, Item], item: Callable[..., Item]) -> list[Change]:
        key = layout.visits_key(entry.partition)
        known = codec.read_visits(found[key].data) if key in found else None
        if known is not None and entry.visits.seen - known.seen < SEEN_EVERY:
            return []
        return [Put(item(key, codec.visits_text(entry.visits)), _version(found, key))]

    def _learned(
        self, entry: _Entry, new: NewTurn, found: Mapping[Key, Item], at: float, item: Callable[..., Item]
    ) -> list[Change]:
        usual = int(self._now()) + layout.days_kept(entry.partition) * DAY
        changes: list[Change] = []
        named: set[Key] = set()
        for name, value in new.remembered.items():
            key = layout.memory_key(entry.partition, name)
            named.add(key)
            if value is None:
                changes.append(Remove(key))
                continue
            seconds = new.forget_after.get(name)
            until = usual if seconds is None else min(usual, int(self._now() + seconds))
            changes.append(Put(item(key, codec.learned_text(Learned(value, at, seconds)), expires=until)))
        # Whoever keeps coming is remembered.
        half = int(self._now()) + layout.days_kept(entry.partition) * DAY // 2
        for key, one in found.items():
            if key.name.startswith("M#") and one.expires < half and key not in named:
                until = layout.memory_expires(codec.read_learned(one.data), usual)
                if until > one.expires:
                    changes.append(Put(item(key, one.data, expires=until), one.version))
        return changes

    def _retry_item(self, key: Key, retry: _Retry, version: int) -> Item:
        data = {"digest": retry.digest, "room": retry.room, "seq": retry.seq, "lease": retry.lease}
        return Item(key=key, data=codec.to_text(data), version=version, expires=int(self._now()) + RETRIES_KEPT)

    def _time(self, pinned: float | None) -> float:
        return round(self._now() if pinned is None else pinned, 3)


def _header(found: Mapping[Key, Item], request: ChatRequest, room: str) -> Header | None:
    item = found.get(layout.room_key(layout.partition_of(request.principal, room), room))
    return None if item is None else read_header(item)


def _version(found: Mapping[Key, Item], key: Key) -> int:
    item = found.get(key)
    return 0 if item is None else item.version


def _retry(data: Any) -> _Retry:
    return _Retry(
        digest=str(data["digest"]), room=str(data["room"]), seq=codec.number(data["seq"]), lease=float(data["lease"])
    )


def _digest(request: ChatRequest) -> str:
    """Of what was asked, so that a key cannot be used for something else."""
    said = [[message.role, message.text] for message in request.history]
    return digest(codec.to_text([request.session_id, request.text, said]), 16).hex()
