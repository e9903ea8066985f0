"""The language of the pipe: one JSON object a line, in both directions. It knows bytes and messages, and no
meaning.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MAX_LINE = 4 * 2**20
"""Bytes; a longer line is no message of ours."""

Message = dict[str, Any]


class ProtocolError(ValueError):
    """The other end does not speak the protocol."""


def encode(message: Mapping[str, Any]) -> bytes:
    """One line of ASCII, so that lone surrogates and any encoding of the host pass unharmed."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


class Decoder:
    """Collects bytes until they make messages."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Take what was read and return the messages that it completes; raises `ProtocolError`."""
        self._pending += data
        *lines, rest = self._pending.split(b"\n")
        self._pending = bytearray(rest)
        if len(rest) > MAX_LINE:
            raise ProtocolError("a line without an end")
        return [_decode(bytes(line)) for line in lines if line]


def _decode(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("a line that is no message") from error
    if not isinstance(message, dict):
        raise ProtocolError("a line that is no message")
    return message
