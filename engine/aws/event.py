"""Reads Lambda events of every form as requests to the API.

API Gateway REST (payload 1.0), HTTP API and Function URL (payload 2.0) and ALB are told apart by what AWS alone writes
into them; whatever else comes is a direct invocation, whose event is the payload itself, or comes from a service that
sends no turns. Bodies are not opened here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from engine.api.conversation import INPUT_FIELDS
from engine.api.errors import RequestError
from engine.api.request import PLAIN, Request, path_without_base
from engine.core.record import record

if TYPE_CHECKING:
    from engine.aws.event_sources import Source

Form = Literal["direct", "rest", "http", "alb"]

_PAYLOAD_FIELDS = frozenset((*INPUT_FIELDS, "session_id", "turn_key", "metadata", "debug"))


@record
class Event:
    """A request in the form of its sender, which wants the response in the same.

    `multi_value` says that an ALB wants its headers back as lists; `host` is the name under which AWS was asked;
    `source` is the sender of what holds no turn.
    """

    request: Request
    form: Form
    multi_value: bool = False
    host: str = ""
    source: Source | None = None


def read_event(event: Any) -> Event:
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


def _direct(event: Any) -> Event:
    """Reads an event without HTTP: a payload, or what a service sends that knows no turns."""
    if isinstance(event, Mapping) and event.keys() <= _PAYLOAD_FIELDS:
        return Event(form="direct", request=Request(body=event, direct=True))
    from engine.aws.event_sources import source_of

    source = source_of(event, has_text=isinstance(event, Mapping) and _has_text(event))
    if source is None:
        return Event(form="direct", request=Request(body=event, direct=True))
    message = f"an event of {source.name} is no turn: send a text as `input`, or over HTTP"
    refusal = RequestError(400, "not_a_turn", message)
    return Event(form="direct", source=source, request=Request(body=event, direct=True, refusal=refusal))


def _has_text(event: Mapping[str, Any]) -> bool:
    return any(event.get(name) is not None for name in INPUT_FIELDS)


def _payload_2(event: Mapping[str, Any], context: Mapping[str, Any]) -> Event:
    http = context["http"]
    route = _text(event.get("routeKey"), "").rpartition(" ")[2]
    path = _path(event.get("rawPath") or http.get("path"), context.get("stage"), route)
    host = _text(context.get("domainName"), "")
    return Event(form="http", host=host, request=_request(event, http.get("method"), path))


def _payload_1(event: Mapping[str, Any], context: Mapping[str, Any], form: Form) -> Event:
    path = _path(event.get("path"), context.get("stage"), _text(event.get("resource"), ""))
    return Event(
        form=form,
        request=_request(event, event.get("httpMethod"), path),
        multi_value=form == "alb" and isinstance(event.get("multiValueHeaders"), Mapping),
    )


def _request(event: Mapping[str, Any], method: Any, path: str) -> Request:
    headers = _headers(event)
    return Request(
        method=_text(method, "POST").upper(),
        path=path,
        query=_query(event),
        headers=headers,
        peer=_peer(event, headers),
        body=event.get("body"),
        base64=event.get("isBase64Encoded") is True,
    )


def _peer(event: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """The address that AWS itself saw: API Gateway and Function URLs name it, a load balancer puts it last."""
    context = _mapping(event.get("requestContext"))
    for place in ("http", "identity"):
        if address := _text(_mapping(context.get(place)).get("sourceIp"), ""):
            return address
    return headers.get("x-forwarded-for", "").rpartition(",")[2].strip() if "elb" in context else ""


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    headers = {name.lower(): value for name, value in _mapping(event.get("headers")).items() if isinstance(value, str)}
    for name, values in _mapping(event.get("multiValueHeaders")).items():
        if isinstance(values, list):
            headers[name.lower()] = ", ".join(value for value in values if isinstance(value, str))
    return headers


def _query(event: Mapping[str, Any]) -> dict[str, str]:
    """The last value of each parameter."""
    given = dict(_mapping(event.get("queryStringParameters"))) | {
        name: values[-1]
        for name, values in _mapping(event.get("multiValueQueryStringParameters")).items()
        if isinstance(values, list) and values
    }
    return {name: value for name, value in given.items() if isinstance(value, str)}


def _path(path: Any, stage: Any, route: str) -> str:
    """`route` is the pattern of API Gateway by which the event came: it tells the bare base path of a custom domain."""
    known = path_without_base(_text(path, "/chat"), base=_text(stage, ""))
    if route != "/" or known.rpartition("/")[2] in PLAIN:
        return known
    from engine.api.routes import find_path  # noqa: PLC0415  a turn needs no table

    return "/" if find_path(known.split("/")[1:]) is None else known


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any, default: str) -> str:
    return value if isinstance(value, str) and value else default
