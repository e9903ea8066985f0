"""From the setting `SESSION_STORE` to a store."""

from __future__ import annotations

import logging
import re

from engine.sessions.dynamodb import DynamoBacking
from engine.sessions.guard import GuardedStore
from engine.sessions.sqlite import SqliteBacking

_LOG = logging.getLogger(__name__)
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}\Z")


def open_store(setting: str) -> GuardedStore:
    """The store that `none`, `sqlite:PATH`, `sqlite::memory:` or `dynamodb:TABLE` names.

    Never fails: a setting of another form is logged and gives a store that remembers nothing, and a place that cannot
    be reached costs the bot its memory only.
    """
    kind, _, place = setting.strip().partition(":")
    if kind in ("", "none") and not place:
        return GuardedStore(None, "none")
    if kind == "sqlite" and place:
        return GuardedStore(SqliteBacking(place), f"sqlite:{place}")
    if kind == "dynamodb" and _TABLE.match(place):
        return GuardedStore(DynamoBacking(place), f"dynamodb:{place}")
    problem = "SESSION_STORE is none of `none`, `sqlite:PATH` and `dynamodb:TABLE`"
    _LOG.warning("%s, so nothing is remembered between turns", problem)
    return GuardedStore(None, f"none ({problem})")
