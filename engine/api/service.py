"""Answers requests whatever happens: routes them, checks the token, runs the turn and records it.

It knows an application only as something that replies and tells its health, so that tests and hosts bring their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from engine.api.body import read_payload
from engine.api.chat import check_turn_key, read_chat
from engine.api.errors import RequestError
from engine.api.log import Log, describe, digest
from engine.api.policy import Policy
from engine.api.request import Request
from engine.api.response import Response, error_payload, preflight, respond, result_payload
from engine.conversations.opening import NoRooms
from engine.core.deadline import Deadline
from engine.core.errors import TurnConflict
from engine.core.events import ChatResult, ModelFailed
from engine.core.principal import ANONYMOUS, Principal
from engine.core.record import record, replace
from engine.core.turn import ChatRequest
from engine.identity.gate import NotIdentified

if TYPE_CHECKING:
    from engine.conversations.keeper import RoomKeeper

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
    said: Collection[str] | None = ()


_Called = tuple[str, list[str]]

_PLAIN: Mapping[str, tuple[str, ...]] = {"/chat": ("POST",), "/": ("POST",), "/health": ("GET", "HEAD")}
"""Methods of the paths for which no table is read."""


@record
class _Behind:
    """What answers requests."""

    app: Bot
    policy: Policy
    keeper: RoomKeeper


def make_service(app: Bot, policy: Policy, log: Log, keeper: RoomKeeper | None = None) -> Service:
    """The API over `app`, whose rooms `keeper` has; every request gives `log` one record."""
    behind = _Behind(app=app, policy=policy, keeper=keeper or NoRooms())

    def serve(request: Request, deadline: Deadline | None, request_id: str | None) -> Response:
        started = time.monotonic()
        called = _path_of(request.path)
        answer = _guarded(behind, request, called, deadline)
        record = {
            "level": "error" if answer.status >= 500 else "info",
            "request_id": request_id,
            "method": request.method if request.method in _METHODS else "other",
            "path": "other" if called is None else called[0],
            "status": answer.status,
            **answer.record,
            "milliseconds": round((time.monotonic() - started) * 1000, 1),
        }
        # Without words and models, a record holds names of steps and replies alone.
        is_plain = _WORDS.isdisjoint(record) and record.get("model") is None and not record.get("escalations")
        log(record if is_plain else policy.secrets.logged(record, _SAID))
        return respond(request, policy, answer.status, answer.payload, answer.headers, said=answer.said)

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


def _path_of(path: str) -> _Called | None:
    """The path as the table of calls writes it, and its parts as they came; `/` is another name of `/chat`."""
    if path in _PLAIN:
        return path, []
    from engine.api.routes import find_path  # noqa: PLC0415  a turn needs no table

    return find_path(path.split("/")[1:])


def _guarded(behind: _Behind, request: Request, called: _Called | None, deadline: Deadline | None) -> _Answer:
    policy = behind.policy
    try:
        return _route(behind, request, called, deadline)
    except RequestError as error:
        return _Answer(
            status=error.status, payload=error_payload(error), headers=error.headers, record={"code": error.code}
        )
    except Exception as error:  # noqa: BLE001  one of the three places that answer for every mistake of ours
        failure = RequestError(503, "internal", "something went wrong on our side")
        record = {"code": failure.code, **describe(error, with_text=policy.log_text)}
        return _Answer(status=failure.status, payload=error_payload(failure), headers={}, record=record)


def _route(behind: _Behind, request: Request, called: _Called | None, deadline: Deadline | None) -> _Answer:
    if request.refusal is not None:
        raise request.refusal
    if request.method == "OPTIONS":
        return _Answer(status=204, payload=None, headers=preflight(), record={})
    if called is None:
        message = "nothing lives at this path: try `POST /chat`, `GET /health` or `GET /openapi.json`"
        raise RequestError(404, "path_unknown", message)
    path, _ = called
    if path not in _PLAIN:
        return _rooms(behind, request, called, deadline)
    _check_method(request, path, _PLAIN[path])
    if path == "/health":
        health = _health(behind.app, behind.policy, request) if request.method == "GET" else None
        return _Answer(status=200, payload=health, headers={}, record={})
    return _chat(behind.app, behind.policy, request, deadline)


def _check_method(request: Request, path: str, methods: Iterable[str]) -> None:
    if request.method not in methods:
        allow = ", ".join((*methods, "OPTIONS"))
        raise RequestError(405, "method_not_allowed", f"`{path}` takes {allow}", {"Allow": allow})


def _rooms(behind: _Behind, request: Request, called: _Called, deadline: Deadline | None) -> _Answer:
    from urllib.parse import unquote  # noqa: PLC0415  a turn needs none of these

    from engine.api.rooms import SAID, SECONDS, Call, answer
    from engine.api.routes import methods_of  # noqa: PLC0415  as above

    path, parts = called
    methods = methods_of(path)
    _check_method(request, path, methods)
    route = methods[request.method]
    if path == "/openapi.json":
        from engine.api.openapi import document

        return _Answer(status=200, payload=document(), headers={}, record={}, said=None)
    principal = identify(behind.policy, request, deadline)
    named = next((part for part, one in zip(parts, route.path.split("/")[1:], strict=True) if one[0] == "{"), "")
    call = Call(
        route=route,
        request=request,
        principal=principal,
        named=unquote(named),
        keeper=behind.keeper,
        until=deadline or Deadline.after(SECONDS),
    )
    status, payload = answer(call)
    return _Answer(status=status, payload=payload, headers={}, record={}, said=SAID)


def _health(app: Bot, policy: Policy, request: Request) -> Mapping[str, Any]:
    """Everything for those who show the client token, or ask from this very machine; one word for strangers."""
    health = app.health()
    known = request.local or policy.gate.holds_client_token(request.headers.get("authorization", ""))
    return health if known else {"status": health["status"]}


def _chat(app: Bot, policy: Policy, request: Request, deadline: Deadline | None) -> _Answer:
    principal = identify(policy, request, deadline)
    call = read_chat(read_payload(request))
    asked = replace(call.request, principal=principal)
    check_turn_key(asked)
    try:
        result = app.reply(asked, deadline)
    except TurnConflict as conflict:
        raise _conflict(conflict) from None
    status, payload = result_payload(result, with_trace=call.debug and policy.allow_debug)
    return _Answer(status=status, payload=payload, headers={}, record=_record(call.request, result, policy))


def _conflict(conflict: TurnConflict) -> RequestError:
    if conflict.reason == "turn_key_reused":
        return RequestError(409, conflict.reason, "`turn_key` was used for another text: make a new one for each turn")
    message = "the first try of this turn is still running: send the same again in a moment"
    return RequestError(409, conflict.reason, message, {"Retry-After": "2"})


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
