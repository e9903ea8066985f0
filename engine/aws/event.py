"""Lambda events of every shape as one typed `Request`.

API Gateway REST (payload 1.0), HTTP API and Function URL (payload 2.0) and ALB are told apart by what AWS alone writes
into them; whatever else comes is a direct invocation, whose event is the payload itself, or comes from a service that
sends no turns. Bodies are not opened here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from engine.model.record import field, record

if TYPE_CHECKING:
    from engine.aws.event_sources import Source

Shape = Literal["direct", "rest", "http", "alb"]

INPUT_FIELDS = ("input", "message", "conversation", "messages")
_PAYLOAD_FIELDS = frozenset((*INPUT_FIELDS, "session_id", "metadata", "debug"))

_ROUTES = frozenset(("chat", "health"))
"""Last words of the paths that are answered. Whatever stands before them is a base path: a stage, the mapping of a
custom domain, the pattern of a CloudFront behaviour.
"""


@record
class Request:
    """`path` has no base path and no slash at its end, `headers` have lower-case names; `body` is still encoded.

    `multi_value` says that an ALB wants its headers back as lists; `source` is the sender of what holds no turn.
    """

    shape: Shape
    method: str = "POST"
    path: str = "/chat"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    base64: bool = False
    multi_value: bool = False
    source: Source | None = None


def read_event(event: Any) -> Request:
    """Never raises: an event that is no object becomes a direct request with that very body."""
    if not isinstance(event, Mapping) or _is_foreign(event):
        return _direct(event)
    context = _mapping(event.get("requestContext"))
    if isinstance(context.get("http"), Mapping):
        return _payload_2(event, context)
    if isinstance(context.get("elb"), Mapping):
        return _payload_1(event, context, "alb")
    if isinstance(event.get("httpMethod"), str):
        return _payload_1(event, context, "rest")
    if isinstance(event.get("body"), str) and not _has_text(event):
        return _payload_1(event, context, "rest")
    return _direct(event)


def _is_foreign(event: Mapping[str, Any]) -> bool:
    """Whether an event that looks like HTTP is something else, as those of WebSockets, authorizers and queues are."""
    context = _mapping(event.get("requestContext"))
    marks = ("methodArn", "routeArn", "eventSource")
    return "connectionId" in context or "serviceNetworkArn" in context or any(name in event for name in marks)


def _direct(event: Any) -> Request:
    """An event without HTTP: a payload, or what a service sends that knows no turns."""
    if isinstance(event, Mapping) and event.keys() <= _PAYLOAD_FIELDS:
        return Request(shape="direct", body=event)
    from engine.aws.event_sources import source_of  # noqa: PLC0415  a plain payload needs no tables

    has_text = isinstance(event, Mapping) and _has_text(event)
    return Request(shape="direct", body=event, source=source_of(event, has_text=has_text))


def _has_text(event: Mapping[str, Any]) -> bool:
    return any(event.get(name) is not None for name in INPUT_FIELDS)


def _payload_2(event: Mapping[str, Any], context: Mapping[str, Any]) -> Request:
    http = context["http"]
    route = _text(event.get("routeKey"), "").rpartition(" ")[2]
    return Request(
        shape="http",
        method=_text(http.get("method"), "POST").upper(),
        path=_path(event.get("rawPath") or http.get("path"), context.get("stage"), route),
        headers=_headers(event),
        body=event.get("body"),
        base64=event.get("isBase64Encoded") is True,
    )


def _payload_1(event: Mapping[str, Any], context: Mapping[str, Any], shape: Shape) -> Request:
    return Request(
        shape=shape,
        method=_text(event.get("httpMethod"), "POST").upper(),
        path=_path(event.get("path"), context.get("stage"), _text(event.get("resource"), "")),
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


def _path(path: Any, stage: Any, route: str) -> str:
    """The path as the handler knows it, without what stands before it, and `/` for the base path alone.

    `route` is the pattern of API Gateway by which the event came: it tells the bare base path of a custom domain.
    """
    parts = [part for part in _text(path, "/chat").split("/") if part]
    if parts and parts[-1] in _ROUTES:
        return f"/{parts[-1]}"
    if not parts or route == "/" or parts == [stage]:
        return "/"
    return "/" + "/".join(parts)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any, default: str) -> str:
    return value if isinstance(value, str) and value else default
