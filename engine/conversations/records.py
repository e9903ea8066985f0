"""Rooms and turns as their owners see them, and pages of lists."""

from __future__ import annotations

from typing import Generic, TypeVar

from engine.core.events import Outcome
from engine.core.record import record

T = TypeVar("T")


@record
class Room:
    """A room as its owner sees it; times are seconds since 1970. Without a title of its own, it is called by the
    first words that were said in it.
    """

    id: str
    title: str | None
    turns: int
    created: float
    updated: float


@record
class StoredTurn:
    """One turn of a room; `number` is its place, from 1."""

    number: int
    at: float
    text: str
    outcome: Outcome
    latency_ms: float


@record
class Page(Generic[T]):
    """A part of a list; `cursor` leads to the next part, where there is one."""

    items: tuple[T, ...]
    cursor: str | None = None
