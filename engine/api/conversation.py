"""The text of a turn and the history before it, from any of the four fields that a client may write them in.

The last user entry is the text, what stands before it is history, what stands after it is dropped. Entries of other
roles (`system`, `developer`, `tool`, `function`) are ignored: a client cannot put words into the system text. So is an
entry of the history that holds no words or cannot be read; only the last entry must be right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union

from engine.api.body import BODY_LIMIT
from engine.api.errors import RequestError, kind
from engine.core.turn import Message, Role
from engine.text.cleaning import clean

INPUT_FIELDS = ("input", "message", "conversation", "messages")
TEXT_LIMIT = 4_000
"""Characters of a turn's text, and of each entry of the history."""
HISTORY_ENTRIES = 40
HISTORY_CHARACTERS = 16_000

_ROLES: Mapping[str, Role] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "model": "assistant",
}
_IGNORED = frozenset({"system", "developer", "tool", "function"})
_SPEAKER = r"(?im)^(user|assistant)[ \t\u3000]*[:：][ \t\u3000]*"
_COLONS = frozenset(":：")

_Entry = tuple[Role, Union[str, None]]
"""A role with its words; none where an entry holds only what is not read."""


def read_conversation(payload: Mapping[str, Any]) -> tuple[str, tuple[Message, ...]]:
    """The cleaned text and the history before it, oldest first and bounded.

    Raises:
        RequestError: 400 or 413, its code beginning with the field's name.
    """
    field = _the_field(payload)
    entries = _entries(field, payload[field])
    last = next((at for at in reversed(range(len(entries))) if entries[at][0] == "user"), None)
    if last is None:
        raise RequestError(400, f"{field}_no_user", f"`{field}` holds no entry of the user")
    return _text(field, entries[last][1]), _history(entries[:last])


def _the_field(payload: Mapping[str, Any]) -> str:
    names = ", ".join(f"`{name}`" for name in INPUT_FIELDS)
    present = [name for name in INPUT_FIELDS if payload.get(name) is not None]
    if not present:
        raise RequestError(400, "input_missing", f"expected exactly one of {names}, found none")
    if len(present) > 1:
        found = " and ".join(f"`{name}`" for name in present)
        raise RequestError(400, "input_ambiguous", f"expected exactly one of {names}, found {found}")
    return present[0]


def _entries(field: str, value: Any) -> Sequence[_Entry]:
    if isinstance(value, str) and field in ("input", "message"):
        return [("user", _without_prefix(_bounded(field, value)))]
    if isinstance(value, str) and field == "conversation":
        return _transcript(clean(_bounded(field, value)))
    if isinstance(value, list) and field in ("conversation", "messages"):
        return list(_listed(field, value))
    expected = {"conversation": "a string or a list", "messages": "a list"}.get(field, "a string")
    raise RequestError(400, f"{field}_type", f"`{field}` must be {expected}, found {kind(value)}")


def _bounded(field: str, text: str) -> str:
    """Refuses early what no cleaning could bring under the limit at a bearable price."""
    if len(text) > BODY_LIMIT:
        raise RequestError(413, f"{field}_too_long", f"`{field}` is longer than {TEXT_LIMIT} characters")
    return text


def _without_prefix(text: str) -> str:
    """`text` without a leading `user:`; a field that holds one text is the user's, whatever else it begins with."""
    role, words = _spoken(text)
    return words if role == "user" else text


def _spoken(text: str) -> tuple[Role, str]:
    cleaned = clean(text)
    found = None if _COLONS.isdisjoint(cleaned) else re.match(_SPEAKER, cleaned)
    return (_ROLES[found[1].lower()], cleaned[found.end() :]) if found else ("user", cleaned)


def _transcript(text: str) -> Sequence[_Entry]:
    """Splits at lines that begin with a speaker; what stands before the first one is the user's."""
    marks = list(re.finditer(_SPEAKER, text))
    if not marks:
        return [("user", text)]
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    head: list[_Entry] = [("user", text[: marks[0].start()])] if text[: marks[0].start()].strip() else []
    spoken = [(_ROLES[mark[1].lower()], text[mark.end() : end]) for mark, end in zip(marks, ends, strict=True)]
    return head + spoken


def _listed(field: str, values: Sequence[Any]) -> Iterator[_Entry]:
    """The entries of known roles; one that cannot be read is refused where it is the last, else left out."""
    for position, value in enumerate(values):
        place, is_last = f"{field}[{position}]", position == len(values) - 1
        if isinstance(value, str) and field == "conversation":
            yield _spoken(_bounded(field, value))
        elif isinstance(value, Mapping):
            role = _role(value)
            if role is not None and not is_result(value):
                words = words_of(value)
                yield role, None if words is None else _bounded(field, words)
            elif is_last and role is None and _role_name(value) not in _IGNORED and not _is_item(value):
                raise RequestError(400, f"{field}_role", f"`{place}.role` must be `user` or `assistant`")
        elif is_last:
            expected = "a string or an object" if field == "conversation" else "an object"
            raise RequestError(400, f"{field}_type", f"`{place}` must be {expected}, found {kind(value)}")


def _is_item(entry: Mapping[str, Any]) -> bool:
    """Whether an entry without a role is a call, a result or a thought, which OpenAI's Responses write so."""
    return "role" not in entry and isinstance(entry.get("type"), str) and entry["type"] != "message"


def _role(entry: Mapping[str, Any]) -> Role | None:
    return _ROLES.get(_role_name(entry))


def _role_name(entry: Mapping[str, Any]) -> str:
    value = entry.get("role")
    return value.strip().lower() if isinstance(value, str) else ""


def _text(field: str, raw: str | None) -> str:
    if raw is None:
        message = f"the last entry of the user in `{field}` holds no text: images, files and tools are not read"
        raise RequestError(400, f"{field}_content", message)
    text = clean(raw)
    if not text:
        raise RequestError(400, f"{field}_empty", f"`{field}` holds no text")
    if len(text) > TEXT_LIMIT:
        message = f"`{field}` holds a text of {len(text)} characters, expected at most {TEXT_LIMIT}"
        raise RequestError(413, f"{field}_too_long", message)
    return text


def _history(entries: Sequence[_Entry]) -> tuple[Message, ...]:
    """The newest entries that fit the bounds; an entry over the limit is cut, an empty one is left out."""
    kept: list[Message] = []
    characters = 0
    for role, raw in reversed(entries):
        text = clean((raw or "")[:BODY_LIMIT])[:TEXT_LIMIT]
        characters += len(text)
        if len(kept) == HISTORY_ENTRIES or characters > HISTORY_CHARACTERS:
            break
        if text:
            kept.append(Message(role, text))
    return tuple(reversed(kept))


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
