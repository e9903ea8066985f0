"""HTTP requests as the events that a Function URL makes of them."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request as it came over the wire; `headers` have lower-case names."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    protocol: str = "HTTP/1.1"
    peer: str = "127.0.0.1"

    @property
    def path(self) -> str:
        return urlsplit(self.target).path or "/"


@dataclass(frozen=True, slots=True)
class LocalContext:
    """What the handler sees as Lambda's context; nothing limits its time here but the pipeline's own deadline."""

    aws_request_id: str = field(default_factory=lambda: uuid.uuid4().hex)


def function_url_event(incoming: Incoming, context: LocalContext) -> dict[str, Any]:
    """Payload format 2.0; a body that is not UTF-8 travels as base64."""
    text, encoded = _as_text(incoming.body)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": incoming.path,
        "rawQueryString": urlsplit(incoming.target).query,
        "headers": dict(incoming.headers),
        "requestContext": {
            "http": {
                "method": incoming.method,
                "path": incoming.path,
                "protocol": incoming.protocol,
                "sourceIp": incoming.peer,
                "userAgent": incoming.headers.get("user-agent", ""),
            },
            "requestId": context.aws_request_id,
            "stage": "$default",
        },
        "body": text,
        "isBase64Encoded": encoded,
    }


def joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; those that came twice are joined as HTTP has it."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _as_text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode("utf-8"), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode("ascii"), True
