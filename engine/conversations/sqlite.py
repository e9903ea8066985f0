"""Rooms in a SQLite file: for one machine, and for containers that are kept."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from engine.conversations.items import Change, Item, Items, Key, Lost, Put
from engine.core.errors import StoreFailed

BUSY = 2.0
"""Seconds to wait for others that write."""
_ASKING = 0.25
"""Seconds of one wait of SQLite's, which asks twelve times in these and ever more seldom after them: a neighbour who
writes without a pause would take the file first each time. A new wait begins then.
"""
_PURGE_EVERY = 100
_LAST = "\U0010ffff"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    pk TEXT NOT NULL, sk TEXT NOT NULL, data TEXT NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL,
    expires INTEGER NOT NULL, updated INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS items_key ON items (pk, sk);
CREATE INDEX IF NOT EXISTS items_updated ON items (pk, updated, sk) WHERE updated IS NOT NULL;
CREATE INDEX IF NOT EXISTS items_expires ON items (expires);
DROP TABLE IF EXISTS sessions;
"""
"""Until version 0.2 a conversation was one row of `sessions`, which nothing reads or deletes any more."""
_READ = "SELECT pk, sk, data, state, version, expires, updated FROM items"
_PUT = "INSERT OR REPLACE INTO items (pk, sk, data, state, version, expires, updated) VALUES (?, ?, ?, ?, ?, ?, ?)"


class SqliteStorage:
    """One connection behind one lock; the file is opened at the first turn."""

    def __init__(self, path: str, *, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._writes = 0

    def get(self, keys: Sequence[Key]) -> Mapping[Key, Item]:
        query = f"{_READ} WHERE pk = ? AND sk = ? AND expires > ?"
        with self._database() as database:
            now = self._now()
            rows = [database.execute(query, (key.partition, key.name, now)).fetchone() for key in keys]
        return {item.key: item for item in map(_item, filter(None, rows))}

    def page(self, partition: str, prefix: str, limit: int, *, after: str | None = None, newest: bool = False) -> Items:
        low, high = prefix, prefix + _LAST
        if after is not None:
            low, high = (low, after) if newest else (after, high)
        order = "DESC" if newest else "ASC"
        # The bound that was met already does not count, and neither bound itself is the name of an item.
        query = f"{_READ} WHERE pk = ? AND sk > ? AND sk < ? AND expires > ? ORDER BY sk {order} LIMIT ?"
        with self._database() as database:
            rows = database.execute(query, (partition, low, high, self._now(), limit + 1)).fetchall()
        return _page(rows, limit, by_time=False)

    def listed(self, partition: str, limit: int, after: tuple[str, int] | None = None) -> Items:
        query = f"{_READ} WHERE pk = ? AND updated IS NOT NULL AND expires > ?"
        given: list[Any] = [partition, self._now()]
        if after is not None:
            query += " AND (updated, sk) < (?, ?)"
            given += [after[1], after[0]]
        with self._database() as database:
            rows = database.execute(f"{query} ORDER BY updated DESC, sk DESC LIMIT ?", (*given, limit + 1)).fetchall()
        return _page(rows, limit, by_time=True)

    def write(self, changes: Sequence[Change]) -> None:
        with self._database() as database, _transaction(database):
            now = self._now()
            if self._writes % _PURGE_EVERY == 0:
                database.execute("DELETE FROM items WHERE expires <= ?", (now,))
            for change in changes:
                _apply(database, change, now)
            self._writes += 1

    def discard(self, keys: Iterable[Key]) -> None:
        places = [(key.partition, key.name) for key in keys]
        with self._database() as database:
            with _transaction(database):
                database.executemany("DELETE FROM items WHERE pk = ? AND sk = ?", places)
            # Else the words would stand in the log of writes for a while.
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                if self._connection is None:
                    self._connection = self._open()
                yield self._connection
        except (sqlite3.Error, OSError, OverflowError) as error:
            raise StoreFailed(f"SESSION_STORE sqlite:{self._path}: {error}") from error

    def _open(self) -> sqlite3.Connection:
        _keep_private(self._path)
        connection = sqlite3.connect(self._path, timeout=_ASKING, isolation_level=None, check_same_thread=False)
        try:
            _when_free(lambda: connection.execute("PRAGMA journal_mode = WAL"))
            connection.execute("PRAGMA synchronous = NORMAL")
            # What is deleted is overwritten: who erases a conversation does not leave it in the file.
            connection.execute("PRAGMA secure_delete = ON")
            _when_free(lambda: connection.executescript(_SCHEMA))
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _when_free(run: Callable[[], object]) -> None:
    """Run it again and again while others hold the file, `BUSY` seconds at most."""
    until = time.monotonic() + BUSY
    while True:
        try:
            run()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
        else:
            return


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    _when_free(lambda: database.execute("BEGIN IMMEDIATE"))
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _apply(database: sqlite3.Connection, change: Change, now: float) -> None:
    """Raises `Lost` where the place holds another version."""
    key = change.item.key if isinstance(change, Put) else change.key
    place = (key.partition, key.name)
    if change.found is not None:
        row = database.execute("SELECT version, expires FROM items WHERE pk = ? AND sk = ?", place).fetchone()
        if (0 if row is None or row[1] <= now else row[0]) != change.found:
            raise Lost
    if isinstance(change, Put):
        item = change.item
        database.execute(_PUT, (*place, item.data, item.state, item.version, item.expires, item.updated))
    else:
        database.execute("DELETE FROM items WHERE pk = ? AND sk = ?", place)


def _item(row: Sequence[Any]) -> Item:
    """Raises `StoreFailed` for a row that somebody else wrote."""
    texts, version, expires, updated = row[:4], row[4], row[5], row[6]
    numbers = (version, expires, updated or 0)
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(number, int) for number in numbers):
        raise StoreFailed("the store holds a row of another form")
    return Item(key=Key(row[0], row[1]), data=row[2], state=row[3], version=version, expires=expires, updated=updated)


def _page(rows: Sequence[Sequence[Any]], limit: int, *, by_time: bool) -> Items:
    items = tuple(map(_item, rows[:limit]))
    if len(rows) <= limit or not items:
        return Items(items=items)
    last = items[-1]
    return Items(items=items, next=(last.key.name, (last.updated or 0) if by_time else 0))


def _keep_private(path: str) -> None:
    """Make the file, or take others' permissions from it; SQLite gives the same ones to its `-wal` and `-shm`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is no regular file")
        if status.st_mode & 0o077 and status.st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
