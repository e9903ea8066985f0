"""The Lambda handler: routes an event, keeps to the time that is left, and answers whatever happens.

It knows an application only as something that replies and tells its health, so that tests and local servers bring
their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from engine.aws.body import read_payload
from engine.aws.chat import read_chat
from engine.aws.errors import RequestError
from engine.aws.event import Request, read_event
from engine.aws.log import Log, describe, digest, print_record
from engine.aws.policy import Policy
from engine.aws.response import error_payload, preflight, proxy_response, result_payload
from engine.model.deadline import Deadline
from engine.model.record import record
from engine.model.turn import ChatRequest, ChatResult

Handler = Callable[[Any, Any], dict[str, Any]]

RESERVE = 0.35
"""Seconds kept back from Lambda's remaining time, for the session store and the response."""

_ALLOWED = {"/chat": ("POST", "OPTIONS"), "/": ("POST", "OPTIONS"), "/health": ("GET", "HEAD", "OPTIONS")}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Bot(Protocol):
    """What the handler needs of the application."""

    def reply(self, request: ChatRequest, deadline: Deadline | None) -> ChatResult: ...
    def health(self) -> Mapping[str, Any]: ...


@record
class _Answer:
    status: int
    payload: Mapping[str, Any] | None
    headers: Mapping[str, str]
    record: Mapping[str, Any]


def make_handler(app: Bot, env: Mapping[str, str], *, log: Log = print_record) -> Handler:
    """A handler over `app`. It never raises; every call gives `log` one record."""
    policy = Policy.from_env(env)

    def handle(event: Any, context: Any) -> dict[str, Any]:
        started = time.monotonic()
        request = read_event(event)
        answer = _guarded(app, policy, request, context)
        record = {
            "level": "error" if answer.status >= 500 else "info",
            "request_id": getattr(context, "aws_request_id", None),
            "method": request.method if request.method in _METHODS else "other",
            "path": request.path if request.path in _ALLOWED else "other",
            "status": answer.status,
            **answer.record,
            "milliseconds": round((time.monotonic() - started) * 1000, 1),
        }
        log(record)
        response = proxy_response(request, policy, answer.status, answer.payload, answer.headers)
        return response if request.source is None else {**response, **request.source.answer}

    return handle


def _guarded(app: Bot, policy: Policy, request: Request, context: Any) -> _Answer:
    try:
        return _route(app, policy, request, context)
    except RequestError as error:
        return _Answer(
            status=error.status, payload=error_payload(error), headers=error.headers, record={"code": error.code}
        )
    except Exception as error:  # noqa: BLE001  one of the three places that answer for every mistake of ours
        failure = RequestError(503, "internal", "something went wrong on our side")
        record = {"code": failure.code, **describe(error, with_text=policy.log_text)}
        return _Answer(status=failure.status, payload=error_payload(failure), headers={}, record=record)


def _route(app: Bot, policy: Policy, request: Request, context: Any) -> _Answer:
    if request.source is not None:
        message = f"an event of {request.source.name} is no turn: send a text as `input`, or over HTTP"
        raise RequestError(400, "not_a_turn", message)
    if request.method == "OPTIONS":
        return _Answer(status=204, payload=None, headers=preflight(), record={})
    methods = _ALLOWED.get(request.path)
    if methods is None:
        raise RequestError(404, "path_unknown", "nothing lives at this path: try `POST /chat` or `GET /health`")
    if request.method not in methods:
        allow = ", ".join(methods)
        message = f"`{request.path}` takes {allow}"
        raise RequestError(405, "method_not_allowed", message, {"Allow": allow})
    if request.path == "/health":
        health = app.health() if request.method == "GET" else None
        return _Answer(status=200, payload=health, headers={}, record={})
    return _chat(app, policy, request, context)


def _chat(app: Bot, policy: Policy, request: Request, context: Any) -> _Answer:
    # A direct invocation was let in by AWS itself and has no headers to carry a token in.
    if request.shape != "direct" and not policy.authorises(request.headers.get("authorization", "")):
        message = "this service needs `Authorization: Bearer …` with its client token"
        raise RequestError(401, "authorization_invalid", message, {"WWW-Authenticate": "Bearer"})
    call = read_chat(read_payload(request))
    result = app.reply(call.request, deadline_of(context))
    status, payload = result_payload(result, with_trace=call.debug and policy.allow_debug)
    return _Answer(status=status, payload=payload, headers={}, record=_record(call.request, result, policy))


def deadline_of(context: Any) -> Deadline | None:
    """When the turn must be done, by what Lambda says is left; `None` outside of Lambda."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return Deadline.after(max(0.0, remaining() / 1000 - RESERVE)) if callable(remaining) else None


def _record(request: ChatRequest, result: ChatResult, policy: Policy) -> dict[str, Any]:
    outcome = result.outcome
    record: dict[str, Any] = {
        "engine": outcome.engine,
        "step": outcome.step,
        "reply_id": outcome.reply_id,
        "model": outcome.completion.model if outcome.completion else None,
        "escalations": [[escalation.step, escalation.reason] for escalation in outcome.escalations],
        "session": digest(result.session_id),
    }
    if policy.log_text:
        record |= {"text": request.text, "reply": outcome.reply}
        record["details"] = [escalation.detail for escalation in outcome.escalations]
    return record
