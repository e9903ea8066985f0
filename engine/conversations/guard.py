"""A store that cannot fail a turn: whatever its backing raises is logged, and the session starts afresh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from engine.conversations.codec import decode, encode
from engine.core.deadline import Deadline
from engine.core.errors import EngineError
from engine.core.ports import SessionState

SAVING = 0.2
"""Seconds that a turn leaves for keeping its session."""
PATIENCE = 5.0
"""Seconds for callers who are in no hurry."""
LATE = "the store did not answer in time"
_HELPERS = 64

Run = Callable[[Callable[[], Any], float], Any]


class StoreFailed(EngineError):
    """The backing could not read or write; the message holds no text of a conversation."""


class Backing(Protocol):
    """Keeps one encoded state a session; raises only `StoreFailed`."""

    def read(self, session_id: str) -> str | None: ...
    def write(self, session_id: str, turns: int, state: str) -> None: ...
    def close(self) -> None: ...


class GuardedStore:
    """A `SessionStore` over any backing; `detail` says what it keeps sessions in, for the health page.

    A backing that hangs holds nobody up: it works in helper threads, a bounded number, and turns do without. One in
    this process's own memory cannot hang, and a hand-over to a helper would cost many times its work.
    """

    def __init__(self, backing: Backing | None, detail: str, *, in_memory: bool = False) -> None:
        self._backing = backing
        self.detail = detail
        self.reserve = 0.0 if backing is None else SAVING
        self._run = _directly if backing is None or in_memory else _bounded()

    def load(self, session_id: str, seconds: float = PATIENCE) -> SessionState:
        backing = self._backing
        if backing is None:
            return SessionState()
        try:
            stored = self._run(lambda: backing.read(_key(session_id)), seconds)
            return SessionState() if stored is None else _decoded(stored)
        except Exception as error:  # noqa: BLE001  whatever a store holds or does, it costs the memory only
            warn("a session could not be read, so it starts afresh: %s", _cause(error))
            return SessionState()

    def save(self, session_id: str, state: SessionState, seconds: float = PATIENCE) -> None:
        backing = self._backing
        if backing is None:
            return
        try:
            self._run(lambda: backing.write(_key(session_id), state.turns, encode(state)), seconds)
        except Exception as error:  # noqa: BLE001  as above
            warn("a session could not be kept: %s", _cause(error))

    def close(self) -> None:
        if self._backing is not None:
            self._backing.close()


def _decoded(stored: str) -> SessionState:
    try:
        return decode(stored)
    except ValueError as error:
        raise StoreFailed(str(error)) from None


def _cause(error: Exception) -> str:
    """What happened, without a word of what is stored: messages of others may quote it."""
    if isinstance(error, TimeoutError):
        return LATE
    return (
        str(error) if isinstance(error, StoreFailed) else f"the store answered in another form ({type(error).__name__})"
    )


def _directly(work: Callable[[], Any], _seconds: float) -> Any:
    return work()


def _bounded() -> Run:
    """Runs work for a number of seconds at most; raises `TimeoutError` then."""
    from engine.concurrency.bounded import Helpers  # noqa: PLC0415 - the default remembers nothing

    helpers = Helpers(_HELPERS)
    return lambda work, seconds: helpers.call(work, Deadline.after(seconds), "misaki-session")


def warn(message: str, about: object) -> None:
    from logging import getLogger  # noqa: PLC0415 - a store that works has nothing to say

    getLogger(__name__).warning(message, about)


def _key(session_id: str) -> str:
    return session_id.encode("utf-8", "replace").decode("utf-8")
