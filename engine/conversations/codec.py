"""A session's state as bounded JSON text, the same in every store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.core.ports import SessionState
from engine.core.record import field_names
from engine.core.turn import Message, Talk

HISTORY_MESSAGES = 20
"""The newest messages that are kept."""
MESSAGE_CHARACTERS = 4_000
MAX_BYTES = 64 * 1024
"""Of the encoded state; DynamoDB refuses items over 400 KB and charges by the KB."""
MOST_SAID = 500
"""Replies of which the variants said are kept, and `MOST_TIMES` variants of each."""
MOST_TIMES = 40
_LONGEST = 4 * MAX_BYTES
_LARGEST = 2**53


def encode(state: SessionState) -> str:
    """JSON of at most `MAX_BYTES`: the oldest messages are dropped until it fits."""
    history = [(message.role, message.text[:MESSAGE_CHARACTERS]) for message in state.history[-HISTORY_MESSAGES:]]
    kept: dict[str, Any] = {
        "turns": state.turns,
        "said": {reply: said[-MOST_TIMES:] for reply, said in list(state.said.items())[-MOST_SAID:]},
    }
    if state.talk is not None:
        kept["talk"] = {name: getattr(state.talk, name) for name in field_names(Talk)}
    while True:
        text = json.dumps({**kept, "history": history}, ensure_ascii=False)
        text = text.encode("utf-8", "replace").decode("utf-8")
        if not history or len(text.encode("utf-8")) <= MAX_BYTES:
            return text
        history = history[1:]


def decode(text: str) -> SessionState:
    """Raises `ValueError` for text that neither `encode` nor an earlier version of it wrote; its message quotes none of
    it.
    """
    try:
        # What is longer was never kept: taking it apart is not worth the time.
        data: Mapping[str, Any] = json.loads(text if len(text) <= _LONGEST else "")
        # A lone surrogate, as it is or behind an escape, is no text: whoever encodes it later would fail.
        (json.dumps(data, ensure_ascii=False) if "\\u" in text else text).encode()
        return SessionState(
            turns=_number(data["turns"]),
            history=tuple(_message(role, said) for role, said in data["history"][-HISTORY_MESSAGES:]),
            said=_said(data),
            talk=_talk(data["talk"]) if "talk" in data else None,
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        raise ValueError("the stored session is of another form") from None


def _said(data: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    if "said" not in data:
        # As it was stored when only the last variant of each reply was kept.
        return {reply: (_number(variant),) for reply, variant in data["last_said"].items()}
    return {reply: tuple(map(_number, variants)) for reply, variants in data["said"].items()}


def _talk(stored: Mapping[str, Any]) -> Talk:
    """What is kept of a talk; what a later version keeps besides is left out."""
    texts = {name: stored.get(name) for name in field_names(Talk) if name != "topic_turn"}
    if not all(value is None or isinstance(value, str) for value in texts.values()):
        raise TypeError("a talk of another form")
    return Talk(**texts, topic_turn=_number(stored.get("topic_turn", 0)))


def _number(value: Any) -> int:
    """A count that every store can hold."""
    if not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise TypeError("a number of another form")
    return int(value)


def _message(role: Any, said: Any) -> Message:
    if not isinstance(said, str):
        raise TypeError("a message that is no text")
    return Message("user" if role == "user" else "assistant", said[:MESSAGE_CHARACTERS])
