"""From the setting `SESSION_STORE` to a store."""

from __future__ import annotations

import re

from engine.conversations.guard import Backing, GuardedStore, warn

_TABLE = r"[A-Za-z0-9_.-]{3,255}"


def open_store(setting: str) -> GuardedStore:
    """The store that `none`, `sqlite:PATH`, `sqlite::memory:` or `dynamodb:TABLE` names.

    Never fails: a setting of another form is logged and gives a store that remembers nothing, and a place that cannot
    be reached costs the bot its memory only.
    """
    kind, _, place = setting.strip().partition(":")
    if kind in ("", "none") and not place:
        return GuardedStore(None, "none")
    if kind == "sqlite" and place:
        return _sqlite(place)
    if kind == "dynamodb" and re.fullmatch(_TABLE, place):
        return GuardedStore(_dynamodb(place), f"dynamodb:{place}")
    problem = "SESSION_STORE is none of `none`, `sqlite:PATH` and `dynamodb:TABLE`"
    warn("%s, so nothing is remembered between turns", problem)
    return GuardedStore(None, f"none ({problem})")


def _sqlite(path: str) -> GuardedStore:
    from engine.conversations.sqlite import IN_MEMORY, SqliteBacking

    in_memory = path == ":memory:"
    return GuardedStore(
        SqliteBacking(path, most=IN_MEMORY if in_memory else None), f"sqlite:{path}", in_memory=in_memory
    )


def _dynamodb(table: str) -> Backing:
    from engine.conversations.dynamodb import DynamoBacking

    return DynamoBacking(table)
