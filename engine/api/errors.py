"""Refuses a request, with the status and the code that its client gets."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.errors import EngineError


class RequestError(EngineError):
    """Refused before any step ran. `code` names the field and what is wrong with it, such as `input_too_long`."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
        super().__init__(message)
