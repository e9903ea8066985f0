"""The Lambda handler: an event as a request to the API, the response as what the event's source expects."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine.api.answer import Bot
from engine.api.log import Log
from engine.api.policy import Policy
from engine.api.response import Response, to_json
from engine.api.service import make_service
from engine.aws.event import Event, read_event
from engine.core.deadline import Deadline

if TYPE_CHECKING:
    from engine.conversations.keeper import RoomKeeper

Handler = Callable[[Any, Any], dict[str, Any]]

RESERVE = 0.35
"""Seconds kept back from Lambda's remaining time, for the session store and the response."""


def print_record(record: Mapping[str, Any]) -> None:
    """Writes `record` to standard output as one line of JSON, which Lambda keeps. A line that is lost costs no turn."""
    with suppress(OSError, ValueError):
        sys.stdout.write(to_json(record) + "\n")
        sys.stdout.flush()


def make_handler(
    app: Bot, env: Mapping[str, str], *, log: Log = print_record, keeper: RoomKeeper | None = None
) -> Handler:
    """A handler over `app`. It never raises; every call gives `log` one record."""
    service = make_service(app, Policy.from_env(env), log, keeper)

    def handle(event: Any, context: Any) -> dict[str, Any]:
        read = read_event(event)
        response = service(read.request, deadline_of(context), getattr(context, "aws_request_id", None))
        return proxy_response(read, response.whole())

    return handle


def deadline_of(context: Any) -> Deadline | None:
    """When the turn must be done, by what Lambda says is left; `None` outside of Lambda."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return Deadline.after(max(0.0, remaining() / 1000 - RESERVE)) if callable(remaining) else None


def proxy_response(event: Event, response: Response) -> dict[str, Any]:
    """`{statusCode, headers, body}` as API Gateway, Function URLs and ALBs accept it alike."""
    proxied: dict[str, Any] = {"statusCode": response.status, "headers": response.headers, "body": response.body}
    if event.form == "alb":
        from http import HTTPStatus

        proxied["statusDescription"] = f"{response.status} {HTTPStatus(response.status).phrase}"
        proxied["isBase64Encoded"] = False
    if event.multi_value:
        proxied["multiValueHeaders"] = {name: [value] for name, value in proxied.pop("headers").items()}
    return proxied if event.source is None else {**proxied, **event.source.answer}
