"""What a store costs a turn whose file is bad, locked or gone: the memory, and nothing else."""

import contextlib
import logging
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from engine.conversations import open_store
from engine.conversations.guard import LATE, GuardedStore
from engine.conversations.memory import MemoryStorage
from engine.conversations.sqlite import SqliteStorage
from engine.core.deadline import Deadline
from engine.core.errors import StoreFailed
from engine.core.events import Outcome
from engine.core.rooms import NewTurn, SessionState
from engine.core.turn import ChatRequest, Principal
from tests.children import child
from tests.fakes.clock import FakeClock
from tests.rooms.cases import killed_at_every_step

ROOM = "a-room-that-nobody-guesses"
YUKI = Principal(kind="user", id="yuki")


def say(store, text="こんばんは", room=ROOM, seconds=60.0):
    """The state that the turn found, and whether it is stored."""
    until = Deadline.after(seconds)
    opened = store.open(ChatRequest(text=text, session_id=room), (), until)
    new = NewTurn(text=text, outcome=Outcome(reply="いらっしゃい。"), latency_ms=1.0, number=opened.state.turns + 1)
    return opened.state, store.append(opened, new, until)


def test_a_file_outlives_the_process(tmp_path):
    for turns in range(2):
        store = open_store(f"sqlite:{tmp_path / 'rooms.db'}")
        state, stored = say(store)
        assert (state.turns, stored) == (turns, True)
        store.close()


def test_a_file_survives_a_process_that_is_killed(tmp_path):
    script = f"""
        import sys
        from engine.conversations import open_store
        from tests.unit.conversations.test_stores import say
        store = open_store("sqlite:{tmp_path / "rooms.db"}")
        number = 0
        while True:
            assert say(store, str(number))[1]
            print(number, flush=True)
            number += 1
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with child(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        while int(process.stdout.readline()) < 50:
            pass
        process.send_signal(signal.SIGKILL)
        told = [50, *map(int, process.stdout.read().split())][-1]
    store = open_store(f"sqlite:{tmp_path / 'rooms.db'}")
    state, stored = say(store)
    store.close()
    assert stored
    assert told + 1 <= state.turns <= told + 2


def test_a_neighbour_who_writes_for_most_of_a_second_is_waited_for(tmp_path):
    """Longer than half a second, in which a neighbour of many short writes once kept this one out."""
    path = tmp_path / "rooms.db"
    store = open_store(f"sqlite:{path}")
    say(store)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as neighbour:
        neighbour.execute("BEGIN IMMEDIATE")
        ends = threading.Timer(0.8, lambda: neighbour.execute("COMMIT"))
        ends.start()
        state, stored = say(store)
        ends.join()
    store.close()
    assert (state.turns, stored) == (1, True)


def test_two_processes_may_write_one_file(tmp_path):
    stores = [open_store(f"sqlite:{tmp_path / 'rooms.db'}") for _ in range(2)]
    for turns in range(10):
        assert [say(store)[0].turns for store in stores] == [2 * turns, 2 * turns + 1]
    for store in stores:
        store.close()


def test_memory_keeps_the_latest_rooms_however_many_come():
    clock = FakeClock()
    store = GuardedStore(MemoryStorage(most=30, now=clock), "", in_memory=True)
    for number in range(1001):
        clock.advance(1)
        say(store, room=f"{ROOM}-{number}")
    asked = [ChatRequest(text="x", session_id=f"{ROOM}-{number}") for number in range(1001)]
    kept = [number for number, request in enumerate(asked) if store.open(request, (), Deadline.after(60.0)).state.turns]
    store.close()
    assert kept == list(range(991, 1001))


def test_what_an_earlier_version_kept_is_removed(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "rooms.db")) as database:
        database.execute("CREATE TABLE sessions (id TEXT, state TEXT)")
        database.execute("INSERT INTO sessions VALUES ('seat-7', 'secret')")
        database.commit()
    store = open_store(f"sqlite:{tmp_path / 'rooms.db'}")
    assert say(store)[1]
    store.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "rooms.db")) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert tables == [("items",)]


def test_erased_words_are_in_no_file(tmp_path):
    store = open_store(f"sqlite:{tmp_path / 'rooms.db'}")
    for number in range(200):
        until = Deadline.after(60.0)
        opened = store.open(ChatRequest(text="x", session_id=f"r{number % 9}", principal=YUKI), (), until)
        new = NewTurn(text="CANARY-WORDS" * 20, outcome=Outcome(reply="CANARY"), latency_ms=1.0, number=1)
        assert store.append(opened, new, until)
    assert any(b"CANARY" in file.read_bytes() for file in tmp_path.iterdir())
    store.on_rooms(lambda rooms: rooms.erase(YUKI))
    assert not [file.name for file in tmp_path.iterdir() if b"CANARY" in file.read_bytes()]
    store.close()


def test_a_store_that_fails_costs_the_memory_only(tmp_path, caplog):
    store = open_store(f"sqlite:{tmp_path / 'no' / 'such' / 'folder' / 'rooms.db'}")
    with caplog.at_level(logging.WARNING):
        assert say(store) == (SessionState(), False)
    with pytest.raises(StoreFailed):
        store.on_rooms(lambda rooms: rooms.memory(YUKI))
    store.close()
    assert "SESSION_STORE" in caplog.text
    assert "こんばんは" not in caplog.text


def test_a_file_that_is_no_database_costs_the_memory_only(tmp_path, caplog):
    (tmp_path / "rooms.db").write_bytes(b"not a database" * 100)
    store = open_store(f"sqlite:{tmp_path / 'rooms.db'}")
    assert say(store) == (SessionState(), False)
    store.close()
    assert "not a database" in caplog.text


@pytest.mark.parametrize("column", ["data", "state", "version", "expires"])
@pytest.mark.parametrize("value", ["{}", '{"turns": "飲み過ぎ"}', b"\xff\x00", 5, 2**63 - 1, "飲み過ぎ", None])
def test_rows_that_somebody_else_wrote_cost_the_memory_only(tmp_path, caplog, column, value):
    path = tmp_path / "rooms.db"
    store = open_store(f"sqlite:{path}")
    assert say(store)[1]
    assert say(store, room=f"{ROOM}-2")[1]
    with contextlib.closing(sqlite3.connect(path)) as database, contextlib.suppress(sqlite3.IntegrityError):
        database.execute(f"UPDATE items SET {column} = ? WHERE pk = ?", (value, f"A#{ROOM}"))  # noqa: S608  a column's name
        database.commit()
    say(store)
    state, stored = say(store, room=f"{ROOM}-2")
    store.close()
    assert (state.turns, stored) == (1, True)
    assert "飲" not in caplog.text


def test_a_database_that_is_spoiled_while_it_is_open(tmp_path):
    path = tmp_path / "rooms.db"
    store = open_store(f"sqlite:{path}")
    say(store)
    for file in tmp_path.iterdir():
        file.write_bytes(b"\xff" * 8192)
    say(store)
    store.close()


def test_a_database_that_another_holds_costs_the_memory_only(tmp_path, caplog):
    path = tmp_path / "rooms.db"
    store = open_store(f"sqlite:{path}")
    say(store)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert not say(store)[1]
    assert say(store)[0].turns == 1
    store.close()
    assert "could not be stored" in caplog.text


def test_a_disk_without_room_costs_the_memory_only(caplog):
    store = open_store("sqlite:/dev/full")
    assert say(store) == (SessionState(), False)
    store.close()
    assert "no regular file" in caplog.text


def test_a_pipe_is_no_database(tmp_path, caplog):
    os.mkfifo(tmp_path / "rooms.db")
    store = open_store(f"sqlite:{tmp_path / 'rooms.db'}")
    assert say(store) == (SessionState(), False)
    store.close()
    assert "no regular file" in caplog.text


@pytest.mark.parametrize("before", [None, 0o644, 0o666])
def test_nobody_else_may_read_the_file(tmp_path, before):
    path = tmp_path / "rooms.db"
    if before is not None:
        path.touch()
        path.chmod(before)
    store = open_store(f"sqlite:{path}")
    say(store)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    store.close()
    assert modes == {"rooms.db": 0o600, "rooms.db-wal": 0o600, "rooms.db-shm": 0o600}


class WrongStorage:
    """Breaks its promise to raise `StoreFailed` only."""

    def __getattr__(self, name):
        def fail(*_given, **_more):
            raise KeyError("飲み過ぎ")

        return fail


@pytest.mark.parametrize("in_memory", [True, False])
def test_whatever_a_store_raises_costs_the_memory_only(caplog, in_memory):
    store = GuardedStore(WrongStorage(), "", in_memory=in_memory)
    assert say(store) == (SessionState(), False)
    with pytest.raises(StoreFailed):
        store.on_rooms(lambda rooms: rooms.listed(YUKI, 5, None))
    assert "KeyError" in caplog.text
    assert "飲" not in caplog.text


def test_none_remembers_nothing():
    store = open_store("none")
    assert say(store) == say(store) == (SessionState(), False)
    rooms = {store.open(ChatRequest(text="x"), (), Deadline.after(1)).room for _ in range(3)}
    assert len(rooms) == 3
    store.close()


@pytest.mark.parametrize("setting", ["redis:localhost", "sqlite", "sqlite:", "dynamodb:", "dynamodb:a b", "none:x"])
def test_a_setting_of_another_form_is_named_and_forgets(setting, caplog):
    store = open_store(setting)
    assert say(store) == say(store) == (SessionState(), False)
    assert "SESSION_STORE" in caplog.text
    assert "SESSION_STORE" in store.detail


@pytest.mark.parametrize("setting", ["", "none", "memory", "sqlite::memory:", "dynamodb:misaki-rooms"])
def test_a_good_setting_is_silent(setting, caplog):
    open_store(setting).close()
    assert caplog.text == ""


class HangingStorage(MemoryStorage):
    """Answers when it is released."""

    def __init__(self):
        super().__init__()
        self.released = threading.Event()

    def get(self, keys):
        self.released.wait()
        return super().get(keys)

    def write(self, changes):
        self.released.wait()
        super().write(changes)


def test_a_store_that_hangs_holds_nobody_up(caplog):
    storage = HangingStorage()
    store = GuardedStore(storage, "")
    assert say(store, seconds=0.04) == (SessionState(), False)
    assert say(store, room=None, seconds=0.04)[1] is False
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [LATE, LATE]
    storage.released.set()
    store.close()


def test_who_is_erased_is_erased_though_the_process_is_killed_at_any_step(tmp_path):
    clock, path = FakeClock(1_700_000_000.0), tmp_path / "rooms.db"

    def scan():
        with contextlib.closing(sqlite3.connect(path)) as database:
            return {(row[0], row[1]): row for row in database.execute("SELECT * FROM items")}

    killed_at_every_step(lambda: SqliteStorage(str(path), now=clock), scan, clock)
