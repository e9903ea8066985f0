"""Lambda events of every shape as one typed `Request`.

API Gateway REST (payload 1.0), HTTP API and Function URL (payload 2.0) and ALB are told apart by what AWS alone writes
into them; whatever else comes is a direct invocation, whose event is the payload itself. Bodies are not opened here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from engine.model.record import field, record

Shape = Literal["direct", "rest", "http", "alb"]

INPUT_FIELDS = ("input", "message", "conversation", "messages")


@record
class Request:
    """`path` has no stage and no slash at its end, `headers` have lower-case names; `body` is still encoded.

    `multi_value` says that an ALB wants its headers back as lists.
    """

    shape: Shape
    method: str = "POST"
    path: str = "/chat"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    base64: bool = False
    multi_value: bool = False


def read_event(event: Any) -> Request:
    """Never raises: an event that is no object becomes a direct request with that very body."""
    if not isinstance(event, Mapping):
        return Request(shape="direct", body=event)
    context = _mapping(event.get("requestContext"))
    if isinstance(context.get("http"), Mapping):
        return _payload_2(event, context)
    if isinstance(context.get("elb"), Mapping):
        return _payload_1(event, context, "alb")
    if isinstance(event.get("httpMethod"), str):
        return _payload_1(event, context, "rest")
    if isinstance(event.get("body"), str) and not any(name in event for name in INPUT_FIELDS):
        return _payload_1(event, context, "rest")
    return Request(shape="direct", body=event)


def _payload_2(event: Mapping[str, Any], context: Mapping[str, Any]) -> Request:
    http = context["http"]
    return Request(
        shape="http",
        method=_text(http.get("method"), "POST").upper(),
        path=_path(event.get("rawPath") or http.get("path"), context.get("stage")),
        headers=_headers(event),
        body=event.get("body"),
        base64=event.get("isBase64Encoded") is True,
    )


def _payload_1(event: Mapping[str, Any], context: Mapping[str, Any], shape: Shape) -> Request:
    return Request(
        shape=shape,
        method=_text(event.get("httpMethod"), "POST").upper(),
        path=_path(event.get("path"), context.get("stage")),
        headers=_headers(event),
        body=event.get("body"),
        base64=event.get("isBase64Encoded") is True,
        multi_value=shape == "alb" and isinstance(event.get("multiValueHeaders"), Mapping),
    )


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    headers = {name.lower(): value for name, value in _mapping(event.get("headers")).items() if isinstance(value, str)}
    for name, values in _mapping(event.get("multiValueHeaders")).items():
        if isinstance(values, list):
            headers[name.lower()] = ", ".join(value for value in values if isinstance(value, str))
    return headers


def _path(path: Any, stage: Any) -> str:
    """The path without the stage that API Gateway puts before it and without a slash at its end."""
    found = _text(path, "/chat")
    if isinstance(stage, str) and stage and (found == f"/{stage}" or found.startswith(f"/{stage}/")):
        found = found[len(stage) + 1 :]
    return found.rstrip("/") or "/"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any, default: str) -> str:
    return value if isinstance(value, str) and value else default
