"""A session's state as bounded JSON text, the same in every store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.model.ports import SessionState
from engine.model.turn import Message

HISTORY_MESSAGES = 20
"""The newest messages that are kept."""
MESSAGE_CHARACTERS = 4_000
MAX_BYTES = 64 * 1024
"""Of the encoded state; DynamoDB refuses items over 400 KB and charges by the KB."""
LAST_SAID = 500


def encode(state: SessionState) -> str:
    """JSON of at most `MAX_BYTES`: the oldest messages are dropped until it fits."""
    history = [(message.role, message.text[:MESSAGE_CHARACTERS]) for message in state.history[-HISTORY_MESSAGES:]]
    said = dict(list(state.last_said.items())[-LAST_SAID:])
    while True:
        text = json.dumps({"turns": state.turns, "history": history, "last_said": said}, ensure_ascii=False)
        text = text.encode("utf-8", "replace").decode("utf-8")
        if not history or len(text.encode("utf-8")) <= MAX_BYTES:
            return text
        history = history[1:]


def decode(text: str) -> SessionState:
    """Raises `ValueError` for text that `encode` did not write."""
    try:
        data: Mapping[str, Any] = json.loads(text)
        return SessionState(
            turns=int(data["turns"]),
            history=tuple(_message(role, said) for role, said in data["history"]),
            last_said={str(reply): int(variant) for reply, variant in data["last_said"].items()},
        )
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError("the stored session is of another form") from error


def _message(role: Any, said: Any) -> Message:
    if not isinstance(said, str):
        raise TypeError("a message that is no text")
    return Message("user" if role == "user" else "assistant", said)
