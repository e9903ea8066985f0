"""Reads the words of a chat message as clients of many protocols write it: no images, no files, no calls of tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_TEXTS = frozenset(("", "text", "input_text", "output_text"))
"""Types of the parts that were said aloud; thoughts have types of their own."""
_RESULTS = frozenset(("tool_result", "tool-result", "function_call_output"))


def words_of(message: Mapping[str, Any]) -> str | None:
    """The text of a message's `content`, else of its `parts`, a line for each part; `None` where there is none."""
    content, parts = _words(message.get("content")), _words(message.get("parts"))
    return content or (content if parts is None else parts)


def is_result(message: Mapping[str, Any]) -> bool:
    """Whether the message only carries results of tools, which some protocols send in the user's name."""
    parts = message.get("content") or message.get("parts")
    return isinstance(parts, Sequence) and bool(parts) and all(str(_type(part)) in _RESULTS for part in parts)


def _words(content: Any) -> str | None:
    if isinstance(content, str):
        return content
    parts = [content] if isinstance(content, Mapping) else content
    if not isinstance(parts, list):
        return None
    texts = [text for text in map(_part, parts) if text is not None]
    return "\n".join(texts) if texts or not parts else None


def _part(part: Any) -> str | None:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping) or part.get("thought") is True:
        return None
    kind = _type(part)
    if not isinstance(kind, str) or kind not in _TEXTS:
        return None
    text = part.get("text")
    # Assistants of OpenAI put annotations beside the words.
    text = text.get("value") if isinstance(text, Mapping) else text
    return text if isinstance(text, str) else None


def _type(part: Any) -> Any:
    return part.get("type", "") if isinstance(part, Mapping) else None
