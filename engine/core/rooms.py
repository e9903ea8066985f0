"""Represents the data that a turn reads from a store of rooms and writes to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.events import Outcome
from engine.core.record import field, record
from engine.core.turn import Message, Talk


@record(kw_only=False)
class SessionState:
    """The state of a room at the start of a turn; `said` maps a reply's id to the variants said, the last at the end.

    `history` is the newest turns of the room as messages.
    """

    turns: int = 0
    history: tuple[Message, ...] = ()
    said: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    talk: Talk | None = None


@record(kw_only=False)
class Learned:
    """A remembered value, learned `at` a time in seconds since 1970; the store drops it after `seconds`."""

    value: str
    at: float
    seconds: float | None = None


@record
class Visits:
    """The number of a visit: `away` is how many days before this visit the last one ended."""

    number: int = 1
    away: float | None = None
    seen: float = 0.0


@record
class Opened:
    """The start of a turn. `entry` is the store's own key of the room; without it the turn is not stored."""

    room: str
    state: SessionState = field(default_factory=SessionState)
    memory: Mapping[str, Learned] = field(default_factory=dict)
    visits: Visits = field(default_factory=Visits)
    entry: Any = None


@record
class Replay:
    """The stored answer of an earlier try of the same turn."""

    room: str
    outcome: Outcome
    latency_ms: float


@record
class NewTurn:
    """A turn to store. `number` counts the conversation's turns, those that only the client knows included; `before`
    is the history that the client sent; `remembered` maps names to new values, or to `None` for what is forgotten, and
    `forget_after` some of these names to the seconds after which they are forgotten by themselves.
    """

    text: str
    outcome: Outcome
    latency_ms: float
    number: int
    talk: Talk | None = None
    before: tuple[Message, ...] = ()
    remembered: Mapping[str, str | None] = field(default_factory=dict)
    forget_after: Mapping[str, float] = field(default_factory=dict)
    at: float | None = None
