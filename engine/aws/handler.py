"""Answers Lambda: builds the application once, when the function is imported, and gives each event to the API.

The response is what the event's source expects. A bad pipeline fails the init.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine.api.answer import Bot, Log
from engine.api.policy import Policy, flag
from engine.api.response import Response, to_json
from engine.api.service import Service, make_service
from engine.app import load_app
from engine.aws.event import Event, read_event
from engine.core.deadline import Deadline
from engine.core.errors import ConfigError, SecretUnavailable, SettingsError
from engine.models.secrets import Secrets

if TYPE_CHECKING:
    from engine.conversations.records import RoomKeeper


RESERVE = 0.35
"""Seconds kept back from Lambda's remaining time, for the session store and the response."""


def print_record(record: Mapping[str, Any]) -> None:
    """Writes `record` to standard output as one line of JSON, which Lambda keeps. A line that is lost costs no turn."""
    with suppress(OSError, ValueError):
        sys.stdout.write(to_json(record) + "\n")
        sys.stdout.flush()


class LambdaHandler:
    """Answers events by `service`. It never raises."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """The response in one piece, as the event's source expects it."""
        read, response = self.respond(event, context)
        return proxy_response(read, response.whole())

    def respond(self, event: Any, context: Any) -> tuple[Event, Response]:
        """What was asked, and the response, which may be a stream that has not begun."""
        read = read_event(event)
        return read, self._service(read.request, deadline_of(context), getattr(context, "aws_request_id", None))


def make_handler(
    app: Bot, env: Mapping[str, str], *, log: Log = print_record, keeper: RoomKeeper | None = None
) -> LambdaHandler:
    """A handler over `app`; every call gives `log` one record."""
    return LambdaHandler(make_service(app, Policy.from_env(env), log, keeper))


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


def start(env: Mapping[str, str], *, log: Log = print_record) -> LambdaHandler:
    """The handler over the application that `env` describes.

    Raises:
        ConfigError: with every problem already in the log, one record each.
        SecretUnavailable: when the token that clients must send cannot be had; in the log too.
        SettingsError: when sign-in is asked for and cannot work; in the log too.
    """
    started = time.monotonic()
    log = _discreet(log, env)
    try:
        settings = _resolved(env, log)
        app = load_app(settings)
    except ConfigError as error:
        for problem in error.problems:
            log({"level": "error", "event": "config_problem", "code": problem.code, "message": str(problem)})
        raise
    except SecretUnavailable as error:
        log({"level": "error", "event": "secret_unavailable", "message": str(error)})
        raise
    if flag(env, "METRICS", default="AWS_LAMBDA_FUNCTION_NAME" in env):
        from engine.aws.telemetry import count_turns

        count_turns(app, env, started, log)
    if env.get("AWS_XRAY_DAEMON_ADDRESS"):
        from engine.aws.telemetry import trace_turns

        trace_turns(app, env)
    try:
        handler = make_handler(app, settings, log=log, keeper=app.rooms)
    except SettingsError as error:
        log({"level": "error", "event": "settings_wrong", "message": str(error)})
        raise
    log({"level": "info", "event": "loaded", "milliseconds": round((time.monotonic() - started) * 1000, 1)})
    return handler


def _discreet(log: Log, env: Mapping[str, str]) -> Log:
    """`log` without secrets: what a broken setting holds may be a key in the wrong place."""
    secrets = Secrets(env)
    return lambda record: log(secrets.logged(record))


def _resolved(env: Mapping[str, str], log: Log) -> Mapping[str, str]:
    """`env` with secrets in the place of references to them."""
    if not any(value.startswith(("secretsmanager:", "ssm:")) for value in map(str.lstrip, env.values())):
        return env
    from engine.aws.secrets import resolve

    return resolve(env, log=log)
