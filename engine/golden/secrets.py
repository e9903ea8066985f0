"""Keeps the secrets of the environment out of everything that goldens write: cassettes, reports and failures.

A model may repeat what it was told and an SDK may quote a key in an error, so words are searched before they are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from engine.building.environment import SECRETS

HIDDEN = "[secret]"
_SHORTEST = 8
"""Shorter values stand in ordinary words, and are no secrets worth the name."""


class Secrets:
    """The values of `SECRETS` in one environment."""

    def __init__(self, env: Mapping[str, str]) -> None:
        found = {value for name in SECRETS for value in _values(env.get(name, ""))}
        self._values = sorted((value for value in found if len(value) >= _SHORTEST), key=len, reverse=True)

    def hide(self, text: str) -> str:
        """`text` with each secret in it replaced."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text

    def hide_all(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """`data` with each secret in its texts replaced."""
        return {name: self.hide(value) if isinstance(value, str) else value for name, value in data.items()}

    def __bool__(self) -> bool:
        return bool(self._values)

    def __repr__(self) -> str:
        return f"Secrets({len(self._values)})"


def _values(text: str) -> Iterator[str]:
    """The text itself, and every text in it where it is a JSON document."""
    stripped = text.strip()
    yield stripped
    if stripped.startswith("{"):
        try:
            yield from _texts(json.loads(stripped))
        except (ValueError, RecursionError):
            return


def _texts(document: object) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for value in document.values():
            yield from _texts(value)
