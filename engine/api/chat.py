"""A payload as the typed `ChatRequest` of a turn, with every field checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from engine.api.conversation import read_conversation
from engine.api.errors import RequestError, kind
from engine.core.record import record
from engine.core.turn import ChatRequest
from engine.text.cleaning import clean

SESSION_ID_LIMIT = 128
TURN_KEY_LIMIT = 128
RANDOM = 16
"""Characters of a `turn_key` that names a new room of somebody whom nobody knows: it must be a random one."""
ATTRIBUTE_LIMIT = 32
ATTRIBUTE_CHARACTERS = 256
_LARGEST = 2**53
_ATTRIBUTE = r"[A-Za-z_][A-Za-z0-9_]{0,63}"


@record
class ChatCall:
    """`debug` asks for the trace in the response, `stream` for the answer as it comes."""

    request: ChatRequest
    debug: bool = False
    stream: bool = False


def read_chat(payload: Mapping[str, Any]) -> ChatCall:
    """Raises `RequestError` (400, 413) for the first field that is wrong."""
    metadata = _metadata(payload)
    text, history = read_conversation(payload)
    return ChatCall(
        request=ChatRequest(
            text=text,
            history=history,
            session_id=_session_id(payload, metadata),
            client=_attributes(metadata),
            turn_key=_identifier("turn_key", "turn_key", payload.get("turn_key"), TURN_KEY_LIMIT),
        ),
        debug=read_flag("debug", payload.get("debug")),
        stream=read_flag("stream", payload.get("stream")),
    )


def _metadata(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = payload.get("metadata")
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise RequestError(400, "metadata_type", f"`metadata` must be an object, found {kind(metadata)}")
    return metadata


def _session_id(payload: Mapping[str, Any], metadata: Mapping[str, Any]) -> str | None:
    """The id beside the text, else the one in `metadata`; `None` where neither says anything."""
    for place, value in (
        ("session_id", payload.get("session_id")),
        ("metadata.session_id", metadata.get("session_id")),
    ):
        identifier = _identifier("session_id", place, value, SESSION_ID_LIMIT)
        if identifier is not None:
            return identifier
    return None


def _identifier(name: str, place: str, value: Any, limit: int) -> str | None:
    """A text that a client made up; `None` where it says nothing."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RequestError(400, f"{name}_type", f"`{place}` must be a string, found {kind(value)}")
    if len(value) > limit:
        raise RequestError(400, f"{name}_too_long", f"`{place}` is longer than {limit} characters")
    if clean(value) != value or not value.isprintable():
        message = f"`{place}` holds spaces at an end or characters that cannot be seen"
        raise RequestError(400, f"{name}_characters", message)
    return value


def check_turn_key(request: ChatRequest) -> None:
    """Raises `RequestError` for a key that others could have made up too, where nothing else names the room."""
    key = request.turn_key
    if key is not None and len(key) < RANDOM and request.session_id is None and request.principal.kind != "user":
        message = f"`turn_key` without `session_id` must be a random text of at least {RANDOM} characters"
        raise RequestError(400, "turn_key_short", message)


def read_flag(name: str, value: Any) -> bool:
    """What a field that is true, false or absent says."""
    if value is None or isinstance(value, bool):
        return bool(value)
    raise RequestError(400, f"{name}_type", f"`{name}` must be true or false, found {kind(value)}")


def _attributes(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What `client` holds in conditions and templates: the plain attributes of `metadata`, bounded.

    Names are identifiers of at most 64 characters, texts are cut at 256; nested values, numbers that no JSON reader
    agrees on and attributes past the 32nd are left out.
    """
    user: dict[str, Any] = {}
    for name, value in metadata.items():
        if len(user) == ATTRIBUTE_LIMIT:
            break
        if name != "session_id" and re.fullmatch(_ATTRIBUTE, name) and _is_plain(value):
            user[name] = _shortened(value) if isinstance(value, str) else value
    return user


def _shortened(text: str) -> str:
    return clean(text[: ATTRIBUTE_CHARACTERS * 4])[:ATTRIBUTE_CHARACTERS]


def _is_plain(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str) or (isinstance(value, int) and abs(value) <= _LARGEST)
