"""Answers requests whatever happens: routes them, checks the token, runs the turn and records it.

It knows an application only as something that replies and tells its health, so that tests and hosts bring their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from engine.api.body import read_payload
from engine.api.chat import read_chat
from engine.api.errors import RequestError
from engine.api.log import Log, describe, digest
from engine.api.policy import Policy
from engine.api.request import Request
from engine.api.response import Response, error_payload, preflight, respond, result_payload
from engine.core.deadline import Deadline
from engine.core.events import ChatResult, ModelFailed
from engine.core.principal import ANONYMOUS, Principal
from engine.core.record import record, replace
from engine.core.turn import ChatRequest
from engine.identity.gate import NotIdentified

_ALLOWED = {"/chat": ("POST", "OPTIONS"), "/": ("POST", "OPTIONS"), "/health": ("GET", "HEAD", "OPTIONS")}
_WORDS = frozenset({"message", "frames", "text", "reply", "details"})
_SAID = frozenset({"text", "reply"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Bot(Protocol):
    """What the API needs of the application."""

    def reply(self, request: ChatRequest, deadline: Deadline | None) -> ChatResult: ...
    def health(self) -> Mapping[str, Any]: ...


Service = Callable[[Request, Deadline | None, str | None], Response]
"""Answers a request by a deadline, if there is one; the text is the request's id in the log. Never raises."""


@record
class _Answer:
    status: int
    payload: Mapping[str, Any] | None
    headers: Mapping[str, str]
    record: Mapping[str, Any]


def make_service(app: Bot, policy: Policy, log: Log) -> Service:
    """The API over `app`; every request gives `log` one record."""

    def serve(request: Request, deadline: Deadline | None, request_id: str | None) -> Response:
        started = time.monotonic()
        answer = _guarded(app, policy, request, deadline)
        record = {
            "level": "error" if answer.status >= 500 else "info",
            "request_id": request_id,
            "method": request.method if request.method in _METHODS else "other",
            "path": request.path if request.path in _ALLOWED else "other",
            "status": answer.status,
            **answer.record,
            "milliseconds": round((time.monotonic() - started) * 1000, 1),
        }
        # Without words and models, a record holds names of steps and replies alone.
        is_plain = _WORDS.isdisjoint(record) and record.get("model") is None and not record.get("escalations")
        log(record if is_plain else policy.secrets.logged(record, _SAID))
        return respond(request, policy, answer.status, answer.payload, answer.headers)

    return serve


def identify(policy: Policy, request: Request, deadline: Deadline | None = None) -> Principal:
    """Who sends this request; raises `RequestError` where he does not show who he is."""
    if request.direct:
        return ANONYMOUS  # AWS itself let it in, and there are no headers to carry a token
    try:
        return policy.gate.identify(request.headers.get("authorization", ""), deadline)
    except NotIdentified as error:
        raise RequestError(error.status, error.code, str(error), _challenge(error)) from None


def _challenge(error: NotIdentified) -> Mapping[str, str]:
    """What tells a client what to do next (RFC 6750, 3)."""
    if error.status != 401:
        return {"Retry-After": "10"}
    is_first = error.code in {"token_missing", "authorization_invalid"}
    return {"WWW-Authenticate": "Bearer" if is_first else 'Bearer error="invalid_token"'}


def _guarded(app: Bot, policy: Policy, request: Request, deadline: Deadline | None) -> _Answer:
    try:
        return _route(app, policy, request, deadline)
    except RequestError as error:
        return _Answer(
            status=error.status, payload=error_payload(error), headers=error.headers, record={"code": error.code}
        )
    except Exception as error:  # noqa: BLE001  one of the three places that answer for every mistake of ours
        failure = RequestError(503, "internal", "something went wrong on our side")
        record = {"code": failure.code, **describe(error, with_text=policy.log_text)}
        return _Answer(status=failure.status, payload=error_payload(failure), headers={}, record=record)


def _route(app: Bot, policy: Policy, request: Request, deadline: Deadline | None) -> _Answer:
    if request.refusal is not None:
        raise request.refusal
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
        health = _health(app, policy, request) if request.method == "GET" else None
        return _Answer(status=200, payload=health, headers={}, record={})
    return _chat(app, policy, request, deadline)


def _health(app: Bot, policy: Policy, request: Request) -> Mapping[str, Any]:
    """Everything for those who show the client token, or ask from this very machine; one word for strangers."""
    health = app.health()
    known = request.local or policy.gate.holds_client_token(request.headers.get("authorization", ""))
    return health if known else {"status": health["status"]}


def _chat(app: Bot, policy: Policy, request: Request, deadline: Deadline | None) -> _Answer:
    principal = identify(policy, request, deadline)
    call = read_chat(read_payload(request))
    result = app.reply(replace(call.request, principal=principal), deadline)
    status, payload = result_payload(result, with_trace=call.debug and policy.allow_debug)
    return _Answer(status=status, payload=payload, headers={}, record=_record(call.request, result, policy))


def _record(request: ChatRequest, result: ChatResult, policy: Policy) -> dict[str, Any]:
    outcome = result.outcome
    record: dict[str, Any] = {
        "engine": outcome.engine,
        "step": outcome.step,
        "reply_id": outcome.reply_id,
        "model": outcome.completion.model if outcome.completion else None,
        "escalations": [[escalation.step, escalation.reason] for escalation in outcome.escalations],
        "failures": [
            {key: getattr(event, key) for key in ("model", "name", "kind", "status", "code")}
            for event in outcome.trace
            if isinstance(event, ModelFailed)
        ],
        "session": digest(result.session_id),
    }
    if policy.log_text:
        record |= {"text": request.text, "reply": outcome.reply, "gap": outcome.is_gap}
        record["details"] = [escalation.detail for escalation in outcome.escalations]
    return record
