"""Sessions in a SQLite file or in memory: for one machine, and for containers that are kept."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.conversations.guard import StoreFailed

TTL = 30 * 24 * 3600.0
"""Seconds after its last turn that a session is remembered."""
BUSY = 0.5
"""Seconds to wait for another process that writes."""
IN_MEMORY = 10_000
"""Sessions that are kept in memory: each turn without an id begins one, and nothing else would ever end it."""
_PURGE_EVERY = 100

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, turns INTEGER NOT NULL, state TEXT NOT NULL, expires REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_expires ON sessions (expires);
"""
_PURGE = "DELETE FROM sessions WHERE expires <= ?"
_PURGE_BUT = """
DELETE FROM sessions WHERE expires <= (SELECT expires FROM sessions ORDER BY expires DESC LIMIT 1 OFFSET ?)
"""
_WRITE = """
INSERT INTO sessions (id, turns, state, expires) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET turns = excluded.turns, state = excluded.state, expires = excluded.expires
WHERE excluded.turns > sessions.turns OR sessions.expires <= ?
"""
"""A turn that could not read its session, or is kept late, does not overwrite a later one."""


class SqliteBacking:
    """One connection behind one lock; the file is opened at the first turn. `most` bounds the sessions that are kept,
    or some more than that: those whose last turn is the longest ago are forgotten now and then.
    """

    def __init__(
        self, path: str, *, most: int | None = None, ttl: float = TTL, now: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._most = most
        self._ttl = ttl
        self._now = now
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._writes = 0

    def read(self, session_id: str) -> str | None:
        with self._database() as database:
            found = database.execute(
                "SELECT state FROM sessions WHERE id = ? AND expires > ?", (session_id, self._now())
            ).fetchone()
        return None if found is None else str(found[0])

    def write(self, session_id: str, turns: int, state: str) -> None:
        with self._database() as database:
            now = self._now()
            if self._writes % _PURGE_EVERY == 0:
                self._purge(database, now)
            self._writes += 1
            database.execute(_WRITE, (session_id, turns, state, now + self._ttl, now))

    def _purge(self, database: sqlite3.Connection, now: float) -> None:
        database.execute(_PURGE, (now,))
        if self._most is not None:
            database.execute(_PURGE_BUT, (self._most,))

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
        except (sqlite3.Error, OSError) as error:
            raise StoreFailed(f"SESSION_STORE sqlite:{self._path}: {error}") from error

    def _open(self) -> sqlite3.Connection:
        if self._path != ":memory:":
            _keep_private(self._path)
        connection = sqlite3.connect(self._path, timeout=BUSY, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


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
