"""A store that cannot fail a turn: whatever its backing raises is logged, and the session starts afresh."""

from __future__ import annotations

from typing import Protocol

from engine.model.errors import EngineError
from engine.model.ports import SessionState
from engine.sessions.codec import decode, encode


class StoreFailed(EngineError):
    """The backing could not read or write; the message holds no text of a conversation."""


class Backing(Protocol):
    """Keeps one encoded state a session; raises only `StoreFailed`."""

    def read(self, session_id: str) -> str | None: ...
    def write(self, session_id: str, turns: int, state: str) -> None: ...
    def close(self) -> None: ...


class GuardedStore:
    """A `SessionStore` over any backing; `detail` says what it keeps sessions in, for the health page."""

    def __init__(self, backing: Backing | None, detail: str) -> None:
        self._backing = backing
        self.detail = detail

    def load(self, session_id: str) -> SessionState:
        if self._backing is None:
            return SessionState()
        try:
            stored = self._backing.read(_key(session_id))
            return SessionState() if stored is None else decode(stored)
        except (StoreFailed, ValueError) as error:
            warn("a session could not be read, so it starts afresh: %s", error)
            return SessionState()

    def save(self, session_id: str, state: SessionState) -> None:
        if self._backing is None:
            return
        try:
            self._backing.write(_key(session_id), state.turns, encode(state))
        except StoreFailed as error:
            warn("a session could not be kept: %s", error)

    def close(self) -> None:
        if self._backing is not None:
            self._backing.close()


def warn(message: str, about: object) -> None:
    from logging import getLogger  # noqa: PLC0415 - a store that works has nothing to say

    getLogger(__name__).warning(message, about)


def _key(session_id: str) -> str:
    return session_id.encode("utf-8", "replace").decode("utf-8")
