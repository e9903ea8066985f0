"""HTTP requests as the events that a Function URL makes of them."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
        return path_of(self.target)

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


def path_of(target: str) -> str:
    return target.partition("?")[0] or "/"


@dataclass(frozen=True, slots=True)
class LocalContext:
    """What the handler sees as Lambda's context; nothing limits its time here but the pipeline's own deadline."""

    aws_request_id: str = field(default_factory=lambda: os.urandom(16).hex())


def function_url_event(incoming: Incoming, context: LocalContext) -> dict[str, Any]:
    """Payload format 2.0; a body that is not UTF-8 travels as base64."""
    text, encoded = _as_text(incoming.body)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": incoming.path,
        "rawQueryString": incoming.query,
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


def _as_text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode("utf-8"), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode("ascii"), True
