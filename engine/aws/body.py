"""A request's body as a JSON object, refused by size, encoding and form before anything looks inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.aws.errors import RequestError
from engine.aws.event import Request
from engine.aws.kinds import kind

BODY_LIMIT = 256 * 1024
"""Bytes of a body after decoding; far above any conversation that the engine keeps."""


def read_payload(request: Request) -> Mapping[str, Any]:
    """The object in `request`: the event itself of a direct invocation, else the parsed body.

    Raises:
        RequestError: 400 for a body that is missing, broken or no object; 413 for one over `BODY_LIMIT`.
    """
    value = request.body if request.shape == "direct" else _parse(_decode(request))
    if not isinstance(value, Mapping):
        raise RequestError(400, "body_not_object", f"the body must be a JSON object, found {kind(value)}")
    return value


def too_large() -> RequestError:
    return RequestError(413, "body_too_large", f"the body is larger than {BODY_LIMIT // 1024} KB")


def _decode(request: Request) -> str:
    if request.body is None or request.body == "":
        raise RequestError(400, "body_missing", 'the body is empty: expected JSON such as {"input": "…"}')
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
    from base64 import b64decode  # noqa: PLC0415  binary bodies are rare
    from binascii import Error  # noqa: PLC0415  as above

    try:
        return b64decode(body, validate=True).decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError(400, "body_encoding", "the body is not text in UTF-8") from None
    except (Error, ValueError):
        raise RequestError(400, "body_base64", "the body is marked as base64 and is not valid base64") from None


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
