"""What is logged about a turn: one record each, without the user's words unless `LOG_TEXT` asks for them."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import Any

from engine.core.digest import digest as digest_of
from engine.core.errors import EngineError

Log = Callable[[Mapping[str, Any]], None]
"""Takes one record; must not raise."""


def digest(session_id: str) -> str:
    """Tells sessions apart in the logs without naming them."""
    return digest_of(session_id, 6).hex()


def describe(error: BaseException, *, with_text: bool) -> dict[str, Any]:
    """The type and the frames of an unforeseen error; its message may quote the user, so it needs `with_text`."""
    frames = traceback.extract_tb(error.__traceback__)
    record: dict[str, Any] = {
        "error": type(error).__name__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    }
    if with_text or isinstance(error, EngineError):
        record["message"] = str(error)
    return record
