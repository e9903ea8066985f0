"""A request's body as a JSON object, refused by size, encoding and form before anything looks inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.api.errors import RequestError, kind
from engine.api.request import Request

BODY_LIMIT = 256 * 1024
"""Bytes of a body after decoding, and of a direct event; far above any conversation that the engine keeps."""
EVENT_LIMIT = 6 * 1024 * 1024
"""Bytes of an event; Lambda's own limit."""
_HTTP = (b'"requestContext"', b'"httpMethod"', b'"body"')
"""What stands in an event of HTTP."""


def read_payload(request: Request) -> Mapping[str, Any]:
    """The object in `request`: the event itself of a direct invocation, else the parsed body.

    Raises:
        RequestError: 400 for a body that is missing, broken or no object; 413 for one over `BODY_LIMIT`.
    """
    value = _weighed(request.body) if request.direct else _parse(_decode(request))
    if not isinstance(value, Mapping):
        raise RequestError(400, "body_not_object", f"the body must be a JSON object, found {kind(value)}")
    return value


def read_event_json(data: bytes) -> Any:
    """The event in `data`, as it is posted to the invocation path of a function.

    A direct event has the limit of a body and is refused before it is parsed. An event of HTTP holds its body as a
    string of JSON, escaped and perhaps as base64: its sender may take as much as Lambda does.

    Raises:
        RequestError: 413 for an event that is too large, 400 for one that is not JSON.
    """
    if len(data) > EVENT_LIMIT or (len(data) > BODY_LIMIT and not any(sign in data for sign in _HTTP)):
        raise too_large("event")
    try:
        return json.loads(data or b"{}")
    except (ValueError, RecursionError):
        raise RequestError(400, "event_not_json", "the event is not JSON") from None


def too_large(what: str = "body") -> RequestError:
    return RequestError(413, "body_too_large", f"the {what} is larger than {BODY_LIMIT // 1024} KB")


def _weighed(event: Any) -> Any:
    """A direct event, whose texts, names and values are as many as a body's bytes may be."""
    weight, waiting = 0, [event]
    while waiting and weight <= BODY_LIMIT:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        weight += 1 + (len(value.encode("utf-8", "replace")) if isinstance(value, str) else 0)
    if weight > BODY_LIMIT:
        raise too_large("event")
    return event


def _decode(request: Request) -> str:
    if request.body is None or request.body in ("", b""):
        raise RequestError(400, "body_missing", 'the body is empty: expected JSON such as {"input": "…"}')
    if isinstance(request.body, bytes):
        return _text(request.body)
    if not isinstance(request.body, str):
        raise RequestError(400, "body_type", f"the body must be a string of JSON, found {kind(request.body)}")
    return _from_base64(request.body) if request.base64 else _measured(request.body)


def _measured(body: str) -> str:
    if len(body) > BODY_LIMIT or len(body.encode("utf-8", "replace")) > BODY_LIMIT:
        raise too_large()
    return body


def _from_base64(body: str) -> str:
    if len(body) > BODY_LIMIT * 4 // 3 + 4:
        raise too_large()
    from base64 import b64decode
    from binascii import Error

    try:
        data = b64decode(body, validate=True)
    except (Error, ValueError):
        raise RequestError(400, "body_base64", "the body is marked as base64 and is not valid base64") from None
    return _text(data)


def _text(data: bytes) -> str:
    if len(data) > BODY_LIMIT:
        raise too_large()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError(400, "body_encoding", "the body is not text in UTF-8") from None


def _parse(body: str) -> Any:
    try:
        return json.loads(body.lstrip("\ufeff"), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise RequestError(400, "body_not_json", f"the body is not JSON: {error.msg.lower()} at {where}") from None
    except (ValueError, RecursionError):
        message = "the body is not JSON that can be read: it nests too deeply, or a number is not finite or endless"
        raise RequestError(400, "body_not_json", message) from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)
