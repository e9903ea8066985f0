"""Refuses a request, with the status and the code that its client gets, in the words of JSON and not of Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.errors import EngineError


class RequestError(EngineError):
    """Refused before any step ran. `code` names the field and what is wrong with it, such as `input_too_long`."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
        super().__init__(message)


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"
