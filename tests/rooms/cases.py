"""What every store of rooms does: the same cases for memory, SQLite and DynamoDB.

A module that imports these has a fixture `storage` of its own: a store in which nothing is yet, and whose clock is
`clock`.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.conversations.guard import GuardedStore
from engine.conversations.items import Item, Key, Lost, Put, Remove
from engine.conversations.rooms import Rooms
from engine.conversations.turns import LEASE, RETRIES_KEPT, Turns
from engine.core.deadline import Deadline
from engine.core.errors import BadCursor, RoomUnknown, StoreFailed, TurnConflict
from engine.core.events import Escalation, Outcome
from engine.core.record import replace
from engine.core.rooms import NewTurn, Opened, Replay
from engine.core.turn import ANONYMOUS, ChatRequest, Completion, Message, Principal, Talk

YUKI = Principal(kind="user", id="yuki")
AKI = Principal(kind="user", id="aki")
ROOM = "a-room-that-nobody-guesses"
DAY = 24 * 3600


def soon() -> Deadline:
    return Deadline.after(60.0)


class Guest:
    """Talks to a store as a turn does, without an engine between."""

    def __init__(self, storage, clock, principal=ANONYMOUS, room=ROOM):
        self.turns = Turns(storage, clock)
        self.rooms = Rooms(storage, clock)
        self.principal, self.room = principal, room

    def open(self, text="やあ", *, key=None, names=("name", "bottle"), room=...):
        asked = self.room if room is ... else room
        request = ChatRequest(text=text, session_id=asked, principal=self.principal, turn_key=key)
        return self.turns.open(request, names, 8.0)

    def say(self, text="やあ", reply="あら。", *, key=None, remembered=None, forget_after=None, room=..., **outcome):
        opened = self.open(text, key=key, room=room)
        assert isinstance(opened, Opened)
        return self.store(opened, text, reply, remembered=remembered, forget_after=forget_after, **outcome)

    def store(self, opened, text="やあ", reply="あら。", *, remembered=None, forget_after=None, **outcome):
        said = Outcome(reply=reply, engine="canned", step="canned", **outcome)
        new = NewTurn(
            text=text,
            outcome=said,
            latency_ms=1.5,
            number=opened.state.turns + 1,
            talk=Talk(reply_id=said.reply_id),
            remembered=remembered or {},
            forget_after=forget_after or {},
        )
        return self.turns.append(opened, new, soon())

    def texts(self, room=None) -> list[str]:
        found, cursor = [], None
        while True:
            page = self.rooms.turns(self.principal, room or self.room, 100, cursor)
            found = [turn.text for turn in page.items] + found
            if page.cursor is None:
                return found
            cursor = page.cursor


@pytest.fixture(params=[ANONYMOUS, YUKI], ids=["anonymous", "user"])
def guest(request, storage, clock):
    return Guest(storage, clock, request.param)


@pytest.fixture
def yuki(storage, clock):
    return Guest(storage, clock, YUKI)


@pytest.fixture
def aki(storage, clock):
    return Guest(storage, clock, AKI)


@pytest.fixture
def nobody(storage, clock):
    return Guest(storage, clock)


def everything(storage, *partitions: str) -> list[Item]:
    """All that stands in these partitions."""
    return [item for each in partitions for item in pages(storage, each)]


def pages(storage, partition: str) -> Iterator[Item]:
    after = None
    while True:
        page = storage.page(partition, "", 50, after=after)
        yield from page.items
        if page.next is None:
            return
        after = page.next[0]


# Items


def item(name: str, data: str = '"x"', **more) -> Item:
    return Item(**{"key": Key("U#test", name), "data": data, "expires": 2**40, **more})


def test_an_item_comes_back_as_it_was_put(storage):
    put = item("R#席", '{"題": "猫🐈"}', state='{"a":1}', version=7, updated=1_700_000_000_123)
    storage.write([Put(put)])
    assert storage.get([put.key, Key("U#test", "R#none")]) == {put.key: put}


def test_changes_are_written_together_or_not_at_all(storage):
    storage.write([Put(item("a")), Put(item("b"))])
    with pytest.raises(Lost):
        storage.write([Put(item("a", '"y"', version=2), 1), Put(item("b", '"y"'), 0)])
    with pytest.raises(Lost):
        storage.write([Remove(Key("U#test", "a"), 2)])
    assert {one.data for one in storage.page("U#test", "", 10).items} == {'"x"'}
    storage.write([Put(item("a", '"y"', version=2), 1), Remove(Key("U#test", "b"), 1), Remove(Key("U#test", "c"))])
    assert [(one.key.name, one.data) for one in storage.page("U#test", "", 10).items] == [("a", '"y"')]


def test_items_are_paged_by_their_names(storage):
    names = [f"T#{number:03}" for number in range(25)]
    storage.write([Put(item(name)) for name in [*names, "S#9", "U#0"]])
    for newest in (False, True):
        found, after, sizes = [], None, []
        while True:
            page = storage.page("U#test", "T#", 10, after=after, newest=newest)
            found += [one.key.name for one in page.items]
            sizes.append(len(page.items))
            if page.next is None:
                break
            after = page.next[0]
        assert sizes == [10, 10, 5]
        assert found == (names[::-1] if newest else names)
    assert storage.page("U#test", "T#", 25).next is None
    assert storage.page("U#other", "", 25).items == ()


def test_lists_by_time_have_the_newest_first(storage):
    storage.write([Put(item(f"R#{number}", updated=1000 + number % 7)) for number in range(20)])
    storage.write([Put(item("R#0#T#0000000001"))])
    found, after = [], None
    while True:
        page = storage.listed("U#test", 6, after)
        found += [(one.updated, one.key.name) for one in page.items]
        if page.next is None:
            break
        after = page.next
    assert sorted(found, key=lambda one: -one[0]) == found
    assert len(set(found)) == len(found) == 20


def test_what_has_expired_is_absent(storage, clock):
    storage.write([Put(item("R#old", expires=int(clock()) + 60, updated=5)), Put(item("R#new", updated=6))])
    clock.advance(61)
    assert storage.get([Key("U#test", "R#old")]) == {}
    assert [one.key.name for one in storage.page("U#test", "", 9).items] == ["R#new"]
    assert [one.key.name for one in storage.listed("U#test", 9).items] == ["R#new"]
    with pytest.raises(Lost):
        storage.write([Put(item("R#old"), 1)])
    storage.write([Put(item("R#old", '"again"'), 0)])
    assert len(storage.page("U#test", "", 9).items) == 2


def test_any_number_is_discarded(storage):
    keys = [Key("U#test", f"T#{number:03}") for number in range(60)]
    storage.write([Put(Item(key=key, data="1", expires=2**40)) for key in keys])
    storage.discard(iter([*keys[:55], Key("U#test", "none")]))
    assert [one.key for one in storage.page("U#test", "", 100).items] == keys[55:]
    storage.discard([])


# Turns


def test_a_turn_finds_what_was_said_before(guest):
    assert guest.open().state.turns == 0
    assert guest.say("猫を飼ったよ", "まあ。", reply_id="cat", variant=1)
    assert guest.say("三毛猫だよ", "いいわね。", reply_id="cat", variant=0)
    state = guest.open().state
    assert state.turns == 2
    assert [message.text for message in state.history] == ["猫を飼ったよ", "まあ。", "三毛猫だよ", "いいわね。"]
    assert (state.said, state.talk.reply_id) == ({"cat": (1, 0)}, "cat")
    assert guest.texts() == ["猫を飼ったよ", "三毛猫だよ"]


def test_a_room_without_an_id_gets_one(guest):
    rooms = {guest.open(room=None).room for _ in range(3)}
    assert len(rooms) == 3
    assert all(len(room) == 32 for room in rooms)


def test_what_the_client_said_before_stands_before_the_first_turn(guest):
    opened = guest.open()
    before = (Message("user", "前の話"), Message("assistant", "ええ。"))
    new = NewTurn(text="続き", outcome=Outcome(reply="そう。"), latency_ms=1.0, number=2, before=before)
    assert guest.turns.append(opened, new, soon())
    state = guest.open().state
    assert [message.text for message in state.history] == ["前の話", "ええ。", "続き", "そう。"]
    assert state.turns == 2
    assert guest.texts() == ["続き"]


def test_ids_and_keys_of_any_letters_are_kept_apart(storage, clock):
    names = ["a", "a#T#0000000001", "a%", "a%23T", "席", "'; DROP TABLE items", "x" * 128, "\ud800"]
    guests = [Guest(storage, clock, YUKI, name) for name in names]
    for number, guest in enumerate(guests):
        assert guest.say(f"{number}", key=names[-1 - number])
    assert [guest.texts() for guest in guests] == [[f"{number}"] for number in range(len(names))]
    listed = {room.id for room in guests[0].rooms.listed(YUKI, 50, None).items}
    assert listed == {*names[:-1], "?"}


class Baton:
    """Lets threads go on one at a time, one step each, in an order that is drawn."""

    def __init__(self, dice: random.Random, runners: int):
        self._dice, self._running = dice, set(range(runners))
        self._waiting: set[int] = set()
        self._chosen: int | None = None
        self._changed = threading.Condition()

    def step(self, runner: int) -> None:
        with self._changed:
            self._waiting.add(runner)
            self._choose()
            self._changed.wait_for(lambda: self._chosen == runner)
            self._waiting.remove(runner)
            self._chosen = None

    def leave(self, runner: int) -> None:
        with self._changed:
            self._running.remove(runner)
            self._choose()

    def _choose(self) -> None:
        if self._chosen is None and self._waiting and self._waiting == self._running:
            self._chosen = self._dice.choice(sorted(self._waiting))
            self._changed.notify_all()


class Interleaved:
    """One runner's view of a storage: before each call it waits for the baton."""

    def __init__(self, storage, baton: Baton, runner: int):
        self._storage, self._step = storage, lambda: baton.step(runner)

    def __getattr__(self, name):
        def call(*given, **more):
            self._step()
            return getattr(self._storage, name)(*given, **more)

        return call


@pytest.fixture
def interleavings():
    return 1000


def test_of_two_writers_none_loses_a_turn(storage, clock, interleavings):
    dice = random.Random(7)
    races = 0
    with ThreadPoolExecutor(2) as pool:
        for number in range(interleavings):
            baton = Baton(dice, 2)

            def write(writer: int, number=number, baton=baton) -> tuple[int, bool]:
                try:
                    guest = Guest(Interleaved(storage, baton, writer), clock, YUKI, f"room-{number // 10}")
                    opened = guest.open()
                    return opened.state.turns, guest.store(opened, f"{number}-{writer}")
                finally:
                    baton.leave(writer)

            ends = list(pool.map(write, range(2)))
            assert [stored for _, stored in ends] == [True, True]
            races += ends[0][0] == ends[1][0]
    assert interleavings / 4 < races < interleavings
    for room in range(interleavings // 10):
        said = Guest(storage, clock, YUKI, f"room-{room}").texts()
        assert sorted(said) == sorted(f"{10 * room + number}-{writer}" for number in range(10) for writer in range(2))


@pytest.fixture
def turns_each():
    return 25


def test_threads_that_write_at_once_lose_no_turn(storage, clock, turns_each):
    guest = Guest(storage, clock)

    def write(writer: int) -> int:
        return sum(guest.say(f"{writer}-{number}") for number in range(turns_each))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, range(4))) == [turns_each] * 4
    assert sorted(guest.texts()) == sorted(f"{writer}-{number}" for writer in range(4) for number in range(turns_each))
    assert guest.open().state.turns == 4 * turns_each


def test_what_was_said_by_two_at_once_is_known_of_both(guest):
    first, second = guest.open(), guest.open()
    assert guest.store(first, reply_id="a", variant=0)
    assert guest.store(second, reply_id="b", variant=1)
    assert guest.open().state.said == {"a": (0,), "b": (1,)}


def test_turns_and_rooms_are_forgotten_in_time(storage, clock):
    nobody, yuki = Guest(storage, clock), Guest(storage, clock, YUKI)
    assert nobody.say("昔", remembered={"name": "雪"})
    assert yuki.say("昔")
    clock.advance(20 * DAY)
    assert nobody.say("今")
    clock.advance(20 * DAY)
    assert nobody.texts() == ["今"]
    assert nobody.open().memory["name"].value == "雪"
    assert yuki.texts() == ["昔"]
    clock.advance(31 * DAY)
    assert nobody.open().state.turns == 0
    assert nobody.open().memory == {}
    with pytest.raises(RoomUnknown):
        nobody.texts()
    assert nobody.say("また")
    assert nobody.texts() == ["また"]
    clock.advance(366 * DAY)
    assert yuki.open().state.turns == 0


# Retries


def test_a_retry_gets_the_stored_answer(guest):
    outcome = Outcome(
        reply="猫ちゃん🐈",
        engine="external",
        step="large",
        escalations=(Escalation(step="small", reason="timeout", model="tiny", detail="secret detail"),),
        completion=Completion(
            text="猫ちゃん🐈", finish_reason="stop", model="gpt", prompt_tokens=9, confidence=0.1234567891234567
        ),
    )
    opened = guest.open("猫", key="k1")
    new = NewTurn(text="猫", outcome=outcome, latency_ms=12.345, number=1)
    assert guest.turns.append(opened, new, soon())
    for _ in range(2):
        replay = guest.open("猫", key="k1")
        assert isinstance(replay, Replay)
        bare = replace(outcome.escalations[0], detail="")
        assert replay == Replay(room=opened.room, outcome=replace(outcome, escalations=(bare,)), latency_ms=12.345)
    assert guest.texts() == ["猫"]
    with pytest.raises(TurnConflict, match="turn_key_reused"):
        guest.open("犬", key="k1")


def test_a_retry_of_the_first_turn_finds_its_room(guest):
    first = guest.open("猫", key="a-key-that-nobody-guesses", room=None)
    assert guest.store(first, "猫")
    replay = guest.open("猫", key="a-key-that-nobody-guesses", room=None)
    assert isinstance(replay, Replay)
    assert replay.room == first.room


def test_a_turn_that_runs_is_not_run_again(guest, clock):
    first = guest.open("猫", key="k")
    with pytest.raises(TurnConflict, match="turn_in_progress"):
        guest.open("猫", key="k")
    guest.turns.release(first)
    second = guest.open("猫", key="k")
    clock.advance(8.0 + LEASE + 0.1)
    third = guest.open("猫", key="k")
    assert isinstance(third, Opened)
    assert guest.store(third, "猫", "三度目。")
    assert not guest.store(second, "猫", "二度目。")
    assert guest.open("猫", key="k").outcome.reply == "三度目。"
    assert guest.texts() == ["猫"]


def test_a_key_is_kept_for_a_day(guest, clock):
    assert guest.say("猫", key="k")
    clock.advance(RETRIES_KEPT + 1)
    assert guest.say("犬", key="k")
    assert guest.texts() == ["猫", "犬"]


def test_eight_retries_at_once_and_a_late_one_store_one_turn(storage, clock):
    store = GuardedStore(storage, "")
    asked = []

    def turn(_=None):
        request = ChatRequest(text="猫", turn_key="a-key-that-nobody-guesses")
        opened = store.open(request, (), soon())
        if isinstance(opened, Replay):
            return opened.room, opened.outcome
        asked.append(opened)
        outcome = Outcome(reply=f"返事{len(asked)}", engine="local", step="small")
        assert store.append(opened, NewTurn(text="猫", outcome=outcome, latency_ms=1.0, number=1), soon())
        return opened.room, outcome

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(turn, range(8)))
    answers.append(turn())
    assert len(asked) == 1
    assert len({(room, outcome.reply) for room, outcome in answers}) == 1
    assert Guest(storage, clock).texts(answers[0][0]) == ["猫"]


def test_who_waits_for_another_try_gives_up_by_its_own_deadline(storage):
    store = GuardedStore(storage, "")
    request = ChatRequest(text="猫", session_id=ROOM, turn_key="k")
    store.open(request, (), soon())
    until = Deadline.after(0.4)
    with pytest.raises(TurnConflict, match="turn_in_progress"):
        store.open(request, (), until)
    assert not until.passed


# Visits and memory


def test_somebody_comes_again_after_six_hours(guest, clock):
    assert (guest.open().visits.number, guest.open().visits.away) == (1, None)
    assert guest.say()
    clock.advance(3600)
    assert guest.open().visits.number == 1
    assert guest.say()
    clock.advance(21 * DAY)
    for _ in range(2):
        visits = guest.open().visits
        assert (visits.number, round(visits.away)) == (2, 21)
        assert guest.say()
        clock.advance(60)


def test_a_user_visits_and_not_a_room(storage, clock):
    one, other = Guest(storage, clock, YUKI, "one"), Guest(storage, clock, YUKI, "other")
    assert one.say(remembered={"name": "雪"})
    clock.advance(DAY)
    assert other.open().visits.number == 2
    assert other.open().memory["name"].value == "雪"


def test_what_is_remembered_is_there_next_time_and_forgotten_when_told(guest, clock):
    start = clock()
    assert guest.say(remembered={"name": "雪", "bottle": "角"})
    clock.advance(60)
    assert guest.say(remembered={"bottle": None, "name": "ゆき"})
    memory = guest.open().memory
    assert {name: (one.value, one.at) for name, one in memory.items()} == {"name": ("ゆき", round(start + 60, 3))}
    assert guest.open(names=()).memory == {}


def test_two_rooms_of_a_user_at_once_remember_both(storage, clock):
    guests = [Guest(storage, clock, YUKI, room) for room in ("one", "other")]
    opened = [guest.open() for guest in guests]
    assert guests[0].store(opened[0], remembered={"name": "雪"})
    assert guests[1].store(opened[1], remembered={"bottle": "角"})
    assert {name: one.value for name, one in guests[0].open().memory.items()} == {"name": "雪", "bottle": "角"}


def test_who_keeps_coming_is_remembered(yuki, clock):
    assert yuki.say(remembered={"name": "雪"})
    for _ in range(8):
        clock.advance(100 * DAY)
        assert yuki.say()
    assert yuki.open().memory["name"].value == "雪"


def test_what_has_its_time_is_gone_when_that_is_over_however_often_its_owner_comes(yuki, clock):
    assert yuki.say(remembered={"name": "雪", "bottle": "角"}, forget_after={"bottle": 90 * DAY})
    for _ in range(8):
        clock.advance(11 * DAY)
        assert yuki.say()
    assert yuki.rooms.memory(YUKI).keys() == {"name", "bottle"}
    clock.advance(2 * DAY + 1)
    assert yuki.rooms.memory(YUKI).keys() == {"name"}
    assert yuki.open().memory.keys() == {"name"}


def test_a_claimed_room_takes_its_times_along(nobody, yuki, clock):
    assert nobody.say(remembered={"bottle": "角"}, forget_after={"bottle": 90 * DAY})
    clock.advance(29 * DAY)
    yuki.rooms.claim(YUKI, ROOM)
    clock.advance(60 * DAY)
    assert yuki.rooms.memory(YUKI)["bottle"].value == "角"
    clock.advance(1 * DAY + 1)
    assert yuki.rooms.memory(YUKI) == {}


# Rooms


def test_rooms_are_listed_newest_first_and_in_pages(storage, clock):
    for number in range(12):
        clock.advance(1)
        assert Guest(storage, clock, YUKI, f"room-{number}").say(f"{number}の話")
    clock.advance(1)
    rooms = Rooms(storage, clock)
    assert Guest(storage, clock, YUKI, "room-3").say()
    assert Guest(storage, clock, AKI, "room-x").say()
    first = rooms.listed(YUKI, 5, None)
    assert [room.id for room in first.items] == ["room-3", "room-11", "room-10", "room-9", "room-8"]
    assert [(room.title, room.turns) for room in first.items[:2]] == [("3の話", 2), ("11の話", 1)]
    found, cursor = list(first.items), first.cursor
    while cursor is not None:
        page = rooms.listed(YUKI, 5, cursor)
        found, cursor = [*found, *page.items], page.cursor
    assert len({room.id for room in found}) == len(found) == 12
    with pytest.raises(BadCursor):
        rooms.listed(AKI, 5, first.cursor)


@pytest.mark.parametrize("cursor", ["", "x", "é", "AAAA", "A" * 500, "====", "abc.def"])
def test_a_cursor_of_one_s_own_is_refused(yuki, cursor):
    for _ in range(3):
        assert yuki.say()
    page = yuki.rooms.turns(YUKI, ROOM, 1, None)
    assert page.cursor
    end = "A" if page.cursor[-1] != "A" else "B"
    for bad in (cursor, page.cursor + "A", page.cursor[:-1] + end, page.cursor[:-2], "A" + page.cursor[1:] + "="):
        with pytest.raises(BadCursor):
            yuki.rooms.turns(YUKI, ROOM, 1, bad)
        with pytest.raises(BadCursor):
            yuki.rooms.listed(YUKI, 1, bad)
    with pytest.raises(BadCursor):
        yuki.rooms.listed(YUKI, 1, page.cursor)


def test_cursors_are_known_to_every_process(storage, clock):
    guest = Guest(storage, clock, YUKI)
    for number in range(3):
        assert guest.say(f"{number}")
    cursor = guest.rooms.turns(YUKI, ROOM, 2, None).cursor
    page = Rooms(storage, clock).turns(YUKI, ROOM, 2, cursor)
    assert ([turn.text for turn in page.items], page.cursor) == (["0"], None)


def test_a_room_is_made_named_and_deleted(guest):
    made = guest.rooms.create(guest.principal, ROOM, "猫の話")
    assert (made.id, made.title, made.turns) == (ROOM, "猫の話", 0)
    assert guest.say("やあ")
    assert guest.rooms.rename(guest.principal, ROOM, "犬の話").title == "犬の話"
    room = guest.rooms.room(guest.principal, ROOM)
    assert (room.title, room.turns) == ("犬の話", 1)
    assert guest.rooms.rename(guest.principal, ROOM, None).title is None or guest.principal == YUKI
    guest.rooms.delete(guest.principal, ROOM)
    for call in (guest.texts, lambda: guest.rooms.rename(guest.principal, ROOM, "x")):
        with pytest.raises(RoomUnknown):
            call()
    with pytest.raises(RoomUnknown):
        guest.rooms.delete(guest.principal, ROOM)


def test_a_room_is_nobody_else_s(storage, clock):
    assert Guest(storage, clock, YUKI).say("秘密")
    rooms = Rooms(storage, clock)
    for other in (AKI, ANONYMOUS, Principal(kind="token")):
        for call in (
            lambda other=other: rooms.room(other, ROOM),
            lambda other=other: rooms.turns(other, ROOM, 5, None),
            lambda other=other: rooms.rename(other, ROOM, "x"),
            lambda other=other: rooms.delete(other, ROOM),
            lambda: rooms.claim(AKI, ROOM),
        ):
            with pytest.raises(RoomUnknown):
                call()
    assert Guest(storage, clock, YUKI).texts() == ["秘密"]
    assert Guest(storage, clock, AKI).open().state.history == ()


def test_a_room_whose_id_can_be_guessed_is_shown_to_nobody(storage, clock):
    guest = Guest(storage, clock, ANONYMOUS, "seat-7")
    assert guest.say("秘密")
    assert guest.open().state.turns == 1
    with pytest.raises(RoomUnknown):
        guest.texts()
    with pytest.raises(RoomUnknown):
        guest.rooms.claim(YUKI, "seat-7")


def test_of_a_deleted_room_nothing_is_left(storage, clock):
    for principal, partition in ((ANONYMOUS, f"A#{ROOM}"), (YUKI, "U#yuki")):
        guest = Guest(storage, clock, principal)
        other = Guest(storage, clock, principal, "another-room-nobody-guesses")
        for number in range(5):
            assert guest.say(f"{number}", key=f"k{number}", remembered={"name": "雪"})
            assert other.say(f"{number}", key=f"o{number}")
        guest.rooms.delete(principal, ROOM)
        left = [one.key.name for one in everything(storage, partition)]
        assert not [name for name in left if ROOM in name or name.startswith("I#k")]
        assert other.texts() == ["0", "1", "2", "3", "4"]
        assert isinstance(other.open("3", key="o3"), Replay)
        assert (left == []) is (principal == ANONYMOUS)


def test_a_turn_whose_room_is_deleted_meanwhile_is_not_stored(guest):
    assert guest.say()
    opened = guest.open()
    guest.rooms.delete(guest.principal, ROOM)
    assert not guest.store(opened)
    with pytest.raises(RoomUnknown):
        guest.texts()


@pytest.fixture
def long():
    return 10_000


def test_the_newest_page_of_a_long_room_is_one_page_of_the_store(storage, clock, long):
    guest = Guest(storage, clock, YUKI)
    assert guest.say("0")
    long_room(storage, long)
    counting = Counting(storage)
    page = Rooms(counting, clock).turns(YUKI, ROOM, 20, None)
    assert [turn.text for turn in page.items] == [f"{number}" for number in range(long - 20, long)]
    assert counting.pages == [20]
    assert page.cursor
    before = Rooms(storage, clock).turns(YUKI, ROOM, 20, page.cursor)
    assert [turn.number for turn in before.items] == list(range(long - 39, long - 19))
    counting.pages.clear()
    opened = Guest(counting, clock, YUKI).open()
    assert len(opened.state.history) == 20
    assert counting.pages == [10]


def long_room(storage, turns: int) -> None:
    """As many turns as if they had been said one by one."""
    (first,) = storage.page("U#yuki", f"R#{ROOM}#T#", 5).items
    header = storage.get([Key("U#yuki", f"R#{ROOM}")])[Key("U#yuki", f"R#{ROOM}")]
    data = json.loads(first.data)
    numbers = iter(range(1, turns))
    while batch := list(itertools.islice(numbers, 25)):
        storage.write(
            [
                Put(
                    replace(
                        first,
                        key=Key("U#yuki", f"R#{ROOM}#T#{number + 1:010}"),
                        data=json.dumps(data | {"text": f"{number}"}),
                    )
                )
                for number in batch
            ]
        )
    counted = json.dumps(json.loads(header.data) | {"seq": turns, "turns": turns})
    storage.write([Put(replace(header, data=counted, version=header.version + 1), header.version)])


class Counting:
    """Counts the pages that are read."""

    def __init__(self, storage):
        self._storage = storage
        self.pages = []

    def page(self, partition, prefix, limit, **more):
        self.pages.append(limit)
        return self._storage.page(partition, prefix, limit, **more)

    def __getattr__(self, name):
        return getattr(self._storage, name)


# Claiming, exporting, erasing


def test_a_room_without_an_owner_is_claimed_once(nobody, yuki, aki):
    for number in range(60):
        assert nobody.say(f"{number}", f"返事{number}", key=f"k{number}", remembered={"name": "雪", "bottle": "角"})
    assert yuki.say("前から", room="mine", remembered={"name": "ゆき"})
    claimed = yuki.rooms.claim(YUKI, ROOM)
    assert (claimed.id, claimed.turns, claimed.title) == (ROOM, 60, "0")
    assert yuki.texts() == [f"{number}" for number in range(60)]
    assert {name: one.value for name, one in yuki.open().memory.items()} == {"name": "ゆき", "bottle": "角"}
    assert isinstance(yuki.open("59", key="k59"), Replay)
    assert [room.id for room in yuki.rooms.listed(YUKI, 9, None).items] == [ROOM, "mine"]
    for call in (
        lambda: aki.rooms.claim(AKI, ROOM),
        nobody.texts,
        lambda: nobody.rooms.delete(ANONYMOUS, ROOM),
        lambda: yuki.rooms.claim(YUKI, "no-such-room-far-and-wide"),
        lambda: yuki.rooms.claim(YUKI, "mine"),
    ):
        with pytest.raises(RoomUnknown):
            call()
    assert yuki.rooms.claim(YUKI, ROOM).turns == 60
    assert yuki.say("また")
    assert yuki.texts()[-1] == "また"


def test_who_goes_on_in_a_claimed_room_without_its_owner_begins_another(nobody, yuki):
    assert nobody.say("秘密")
    meanwhile = nobody.open()
    yuki.rooms.claim(YUKI, ROOM)
    assert not nobody.store(meanwhile, "遅れて")
    opened = nobody.open()
    assert opened.room != ROOM
    assert opened.state.history == ()
    assert nobody.store(opened, "別の話")
    assert nobody.texts(opened.room) == ["別の話"]
    assert yuki.texts() == ["秘密"]


def test_everything_of_a_user_is_exported_in_pages(yuki, aki):
    for number in range(5):
        assert yuki.say(f"{number}", key=f"k{number}", remembered={"name": "雪"})
    assert aki.say("他人の秘密")
    found, cursor = [], None
    while True:
        page = yuki.rooms.export(YUKI, 3, cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            break
    assert [type(value).__name__ for _, value in found] == ["Learned", "Room", *["StoredTurn"] * 5, "Visits"]
    assert "他人" not in repr(found)
    with pytest.raises(BadCursor):
        aki.rooms.export(AKI, 3, yuki.rooms.export(YUKI, 3, None).cursor)


def test_a_memory_is_forgotten_by_its_name(yuki, aki):
    assert yuki.say(remembered={"name": "雪", "bottle": "角"})
    assert aki.say(remembered={"name": "秋"})
    assert yuki.rooms.forget(YUKI, "name")
    assert not yuki.rooms.forget(YUKI, "name")
    assert {name: one.value for name, one in yuki.rooms.memory(YUKI).items()} == {"bottle": "角"}
    assert set(aki.rooms.memory(AKI)) == {"name"}
    assert yuki.rooms.visits(YUKI).number == 1
    assert yuki.rooms.visits(Principal(kind="user", id="none")) is None


class Dying:
    """Fails from its nth write on, as where the process is killed then."""

    def __init__(self, storage, writes: int):
        self._storage, self._left = storage, writes

    def write(self, changes):
        self._spend()
        self._storage.write(changes)

    def discard(self, keys):
        # Each of them is a step of its own.
        for key in keys:
            self._spend()
            self._storage.discard([key])

    def _spend(self):
        if not self._left:
            self._fail()
        self._left -= 1

    def _fail(self):
        raise StoreFailed("killed")

    def __getattr__(self, name):
        return getattr(self._storage, name)


def furnish(storage, clock):
    """Yuki and Aki with rooms and memories, and rooms that nobody owns or that were claimed."""
    for principal in (YUKI, AKI):
        guest = Guest(storage, clock, principal, "mine")
        for number in range(2):
            assert guest.say(f"{principal.id}の秘密{number}", key=f"k{number}", remembered={"name": principal.id})
        theirs = f"claimed-by-{principal.id}-and-long-enough"
        assert Guest(storage, clock, ANONYMOUS, theirs).say(f"{principal.id}の秘密", remembered={"bottle": "角"})
        guest.rooms.claim(principal, theirs)
    assert Guest(storage, clock).say("持ち主のいない秘密")


PARTITIONS = ("U#yuki", "U#aki", f"A#{ROOM}", *(f"A#claimed-by-{name}-and-long-enough" for name in ("yuki", "aki")))


def snapshot(storage, *partitions):
    return {item.key: item for item in everything(storage, *partitions)}


class Killing(Dying):
    """Kills its own process instead, as no handler of a failure can soften it."""

    def _fail(self):
        os.kill(os.getpid(), signal.SIGKILL)


def killed_at_every_step(opened, scan, clock):
    """Erase one of two users, and kill the process before the first of its writes, the second and so on; then erase him
    again. In all that `scan` finds in the store, nothing is left of him, and all of the others.
    """
    for writes in itertools.count():
        storage = opened()
        furnish(storage, clock)
        others = {place: item for place, item in scan().items() if "yuki" not in repr((place, item))}
        storage.close()
        process = os.fork()
        if not process:
            Rooms(Killing(opened(), writes), clock).erase(YUKI)
            os._exit(0)
        finished = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
        storage = opened()
        Rooms(storage, clock).erase(YUKI)
        left = scan()
        assert left == others, f"killed before write {writes}"
        assert "yuki" not in repr(left)
        storage.discard([Key(*place) for place in left])
        storage.close()
        if finished:
            break
    assert writes > 8


def test_whoever_is_erased_is_erased_whenever_it_is_cut_off_and_nobody_else(storage, clock):
    furnish(storage, clock)
    others = PARTITIONS[1], PARTITIONS[2], PARTITIONS[4]
    before = snapshot(storage, *others)
    for writes in itertools.count():
        try:
            Rooms(Dying(storage, writes), clock).erase(YUKI)
        except StoreFailed:
            pass
        else:
            break
        assert snapshot(storage, *others) == before
        if writes == 3:
            # Somebody who is half erased comes back and claims a room, and is cut off there.
            assert Guest(storage, clock, ANONYMOUS, "half-claimed-and-long-enough").say("yukiの秘密")
            with pytest.raises(StoreFailed):
                Rooms(Dying(storage, 1), clock).claim(YUKI, "half-claimed-and-long-enough")
    assert writes > 0
    Rooms(storage, clock).erase(YUKI)
    left = snapshot(storage, *PARTITIONS, "A#half-claimed-and-long-enough")
    assert left == before
    assert "yuki" not in repr(left)


def test_an_erasure_that_is_cut_off_once_at_any_step_is_done_by_the_next(storage, clock):
    for writes in range(40):
        furnish(storage, clock)
        rooms = Rooms(Dying(storage, writes), clock)
        try:
            rooms.erase(YUKI)
            finished = True
        except StoreFailed:
            finished = False
        Rooms(storage, clock).erase(YUKI)
        assert "yuki" not in repr(snapshot(storage, *PARTITIONS)), f"cut off after {writes} writes"
        Rooms(storage, clock).erase(AKI)
        storage.discard(snapshot(storage, *PARTITIONS))
        if finished:
            break
    assert finished


def test_a_claim_that_is_cut_off_at_any_step_is_done_by_the_next(storage, clock):
    for writes in range(40):
        guest = Guest(storage, clock)
        for number in range(3):
            assert guest.say(f"{number}", key=f"k{number}", remembered={"name": "雪"})
        try:
            Rooms(Dying(storage, writes), clock).claim(YUKI, ROOM)
            finished = True
        except StoreFailed:
            finished = False
        with pytest.raises(RoomUnknown):
            Rooms(storage, clock).claim(AKI, ROOM) if writes else guest.rooms.room(AKI, ROOM)
        yuki = Guest(storage, clock, YUKI)
        assert yuki.rooms.claim(YUKI, ROOM).turns == 3
        assert yuki.texts() == ["0", "1", "2"]
        assert yuki.open().memory["name"].value == "雪"
        assert [item.key.name for item in everything(storage, f"A#{ROOM}")] == [f"R#{ROOM}"]
        assert "yuki" not in repr(everything(storage, f"A#{ROOM}"))
        assert not [item for item in everything(storage, "U#yuki") if item.key.name.startswith("C#")]
        yuki.rooms.erase(YUKI)
        assert everything(storage, f"A#{ROOM}", "U#yuki") == []
        if finished:
            break
    assert finished


def test_a_deletion_that_is_cut_off_at_any_step_is_done_by_the_next(storage, clock):
    for principal in (ANONYMOUS, YUKI):
        for writes in range(40):
            guest = Guest(storage, clock, principal)
            for number in range(3):
                assert guest.say(f"{number}", key=f"k{number}")
            try:
                Rooms(Dying(storage, writes), clock).delete(principal, ROOM)
                break
            except StoreFailed:
                pass
            if writes:
                with pytest.raises(RoomUnknown):
                    guest.texts()
                assert guest.open().room != ROOM
            guest.rooms.delete(principal, ROOM)
            names = [item.key.name for item in everything(storage, f"A#{ROOM}", "U#yuki")]
            assert set(names) <= {"V"}
        assert writes > 3


def test_two_who_claim_at_once_do_not_both_get_it(storage, clock):
    for round_ in range(10):
        room = f"contested-and-long-enough-{round_}"
        assert Guest(storage, clock, ANONYMOUS, room).say("秘密")
        barrier = threading.Barrier(2)

        def claim(principal, room=room, barrier=barrier):
            barrier.wait()
            try:
                return Rooms(storage, clock).claim(principal, room).turns
            except RoomUnknown:
                return 0

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(claim, (YUKI, AKI))) == [0, 1]
