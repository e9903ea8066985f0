import contextlib
import itertools
import logging
import os
import sqlite3
import stat
import threading

import pytest

from engine.conversations import open_store
from engine.conversations.guard import LATE, GuardedStore
from engine.conversations.sqlite import SqliteBacking
from engine.core.ports import SessionState
from engine.core.turn import Message, Talk

STATE = SessionState(
    3, (Message("user", "こんばんは"), Message("assistant", "いらっしゃい。")), {"greet": (0, 1)}, Talk(offered="梅酒")
)


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    opened = open_store("sqlite::memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'seats.db'}")
    yield opened
    opened.close()


def test_a_session_is_remembered(store):
    store.save("seat-7", STATE)
    assert store.load("seat-7") == STATE
    assert store.load("seat-8") == SessionState()


def test_the_latest_state_counts(store):
    store.save("seat-7", STATE)
    store.save("seat-7", SessionState(4))
    assert store.load("seat-7") == SessionState(4)


def test_of_two_turns_at_once_the_first_that_is_kept_counts(store):
    store.save("seat-7", STATE)
    store.save("seat-7", SessionState(STATE.turns))
    assert store.load("seat-7") == STATE


def test_any_id_will_do(store):
    for number, name in enumerate(["", "'; DROP TABLE sessions", "席", "\ud800", "x" * 10_000]):
        store.save(name, SessionState(number))
        assert store.load(name).turns == number


def test_many_threads_share_a_store(store):
    def sit(seat: int) -> None:
        for turns in range(20):
            store.save(f"seat-{seat}", SessionState(turns))
            assert store.load(f"seat-{seat}").turns == turns

    threads = [threading.Thread(target=sit, args=(seat,)) for seat in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {store.load(f"seat-{seat}").turns for seat in range(8)} == {19}


def test_a_file_outlives_the_process(tmp_path):
    setting = f"sqlite:{tmp_path / 'seats.db'}"
    first = open_store(setting)
    first.save("seat-7", STATE)
    first.close()
    second = open_store(setting)
    assert second.load("seat-7") == STATE
    second.close()


def test_two_processes_may_write_one_file(tmp_path):
    stores = [open_store(f"sqlite:{tmp_path / 'seats.db'}") for _ in range(2)]
    for turns in range(10):
        for store in stores:
            store.save("seat-7", SessionState(turns))
    assert [store.load("seat-7").turns for store in stores] == [9, 9]
    for store in stores:
        store.close()


def test_an_old_session_is_forgotten_and_purged(tmp_path):
    clock = [0.0]
    path = str(tmp_path / "seats.db")
    store = GuardedStore(SqliteBacking(path, ttl=60, now=lambda: clock[0]), "")
    store.save("seat-7", STATE)
    clock[0] = 59.0
    assert store.load("seat-7") == STATE
    clock[0] = 61.0
    assert store.load("seat-7") == SessionState()
    for _ in range(100):
        store.save("seat-8", STATE)
    store.close()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT id FROM sessions").fetchall() == [("seat-8",)]
    connection.close()


def test_memory_keeps_the_latest_sessions_however_many_come():
    clock = itertools.count()
    backing = SqliteBacking(":memory:", most=10, now=lambda: float(next(clock)))
    store = GuardedStore(backing, "", in_memory=True)
    for number in range(1001):
        store.save(f"seat-{number}", STATE)
    kept = [number for number in range(1001) if store.load(f"seat-{number}") == STATE]
    store.close()
    assert kept == list(range(990, 1001))


def test_a_store_that_fails_costs_the_memory_only(tmp_path, caplog):
    store = open_store(f"sqlite:{tmp_path / 'no' / 'such' / 'folder' / 'seats.db'}")
    with caplog.at_level(logging.WARNING):
        store.save("seat-7", STATE)
        assert store.load("seat-7") == SessionState()
    store.close()
    assert "SESSION_STORE" in caplog.text
    assert "こんばんは" not in caplog.text


def test_a_file_that_is_no_database_costs_the_memory_only(tmp_path, caplog):
    (tmp_path / "seats.db").write_bytes(b"not a database" * 100)
    store = open_store(f"sqlite:{tmp_path / 'seats.db'}")
    store.save("seat-7", STATE)
    assert store.load("seat-7") == SessionState()
    store.close()
    assert "not a database" in caplog.text


def test_a_spoiled_state_starts_afresh(tmp_path, caplog):
    backing = SqliteBacking(str(tmp_path / "seats.db"))
    backing.write("seat-7", 1, '{"turns": []}')
    store = GuardedStore(backing, "")
    assert store.load("seat-7") == SessionState()
    store.close()
    assert "afresh" in caplog.text


@pytest.mark.parametrize(
    "row",
    [
        ("seat-7", 2**63 - 1, "{}", 1e12),
        ("seat-7", 1, b"\xff\x00", 1e12),
        ("seat-7", 1, 5, 1e12),
        ("seat-7", "many", '{"turns": "飲み過ぎ"}', 1e12),
        ("seat-7", 1, '{"turns": 1e308, "history": [], "said": {}}', "never"),
    ],
)
def test_rows_that_somebody_else_wrote_cost_the_memory_only(tmp_path, caplog, row):
    path = tmp_path / "seats.db"
    store = open_store(f"sqlite:{path}")
    store.save("seat-1", STATE)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("INSERT INTO sessions (id, turns, state, expires) VALUES (?, ?, ?, ?)", row)
        database.commit()
    assert store.load("seat-7") == SessionState()
    store.save("seat-7", SessionState(2**70))
    assert store.load("seat-1") == STATE
    store.close()
    assert "飲" not in caplog.text


def test_a_database_that_is_spoiled_while_it_is_open(tmp_path):
    path = tmp_path / "seats.db"
    store = open_store(f"sqlite:{path}")
    store.save("seat-7", STATE)
    for file in tmp_path.iterdir():
        file.write_bytes(b"\xff" * 8192)
    store.save("seat-8", STATE)
    assert store.load("seat-8") in (STATE, SessionState())
    store.close()


def test_a_database_that_another_holds_costs_the_memory_only(tmp_path, caplog):
    path = tmp_path / "seats.db"
    store = open_store(f"sqlite:{path}")
    store.save("seat-7", STATE)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        store.save("seat-7", SessionState(9))
    assert store.load("seat-7") == STATE
    store.close()
    assert "could not be kept" in caplog.text


def test_a_disk_without_room_costs_the_memory_only(caplog):
    store = open_store("sqlite:/dev/full")
    store.save("seat-7", STATE)
    assert store.load("seat-7") == SessionState()
    store.close()
    assert "no regular file" in caplog.text


def test_a_pipe_is_no_database(tmp_path, caplog):
    os.mkfifo(tmp_path / "seats.db")
    store = open_store(f"sqlite:{tmp_path / 'seats.db'}")
    assert store.load("seat-7") == SessionState()
    store.close()
    assert "no regular file" in caplog.text


@pytest.mark.parametrize("before", [None, 0o644, 0o666])
def test_nobody_else_may_read_the_file(tmp_path, before):
    path = tmp_path / "seats.db"
    if before is not None:
        path.touch()
        path.chmod(before)
    store = open_store(f"sqlite:{path}")
    store.save("seat-7", STATE)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    store.close()
    assert modes == {"seats.db": 0o600, "seats.db-wal": 0o600, "seats.db-shm": 0o600}


class WrongBacking:
    """Breaks its promise to raise `StoreFailed` only."""

    def read(self, *_):
        raise KeyError("飲み過ぎ")

    def write(self, *_):
        raise UnicodeError("飲み過ぎ")

    def close(self):
        pass


@pytest.mark.parametrize("in_memory", [True, False])
def test_whatever_a_store_raises_costs_the_memory_only(caplog, in_memory):
    store = GuardedStore(WrongBacking(), "", in_memory=in_memory)
    store.save("seat-7", STATE)
    assert store.load("seat-7") == SessionState()
    assert "KeyError" in caplog.text
    assert "飲" not in caplog.text


def test_none_remembers_nothing():
    store = open_store("none")
    store.save("seat-7", STATE)
    assert store.load("seat-7") == SessionState()
    store.close()


@pytest.mark.parametrize("setting", ["redis:localhost", "sqlite", "sqlite:", "dynamodb:", "dynamodb:a b", "none:x"])
def test_a_setting_of_another_form_is_named_and_forgets(setting, caplog):
    store = open_store(setting)
    store.save("seat-7", STATE)
    assert store.load("seat-7") == SessionState()
    assert "SESSION_STORE" in caplog.text
    assert "SESSION_STORE" in store.detail


@pytest.mark.parametrize("setting", ["", "none", "sqlite::memory:", "dynamodb:misaki-sessions"])
def test_a_good_setting_is_silent(setting, caplog):
    open_store(setting).close()
    assert caplog.text == ""


class HangingBacking:
    """Answers when it is released."""

    def __init__(self):
        self.released = threading.Event()
        self.written = []

    def read(self, session_id):
        self.released.wait()
        return session_id

    def write(self, session_id, turns, state):
        self.released.wait()
        self.written.append((session_id, turns, state))

    def close(self):
        self.released.set()


def test_a_store_that_hangs_holds_nobody_up(caplog):
    backing = HangingBacking()
    store = GuardedStore(backing, "")
    assert store.load("seat-7", 0.01) == SessionState()
    store.save("seat-7", STATE, 0.01)
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [LATE, LATE]
    assert backing.written == []
    store.close()


def test_a_turn_that_is_kept_late_does_not_overwrite_a_later_one(store):
    store.save("seat-7", SessionState(4))
    store.save("seat-7", SessionState(3))
    assert store.load("seat-7") == SessionState(4)
