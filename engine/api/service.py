"""Answers requests whatever happens: routes them, checks the token, runs the turn and records it.

It knows an application only as something that replies and tells its health, so that tests and hosts bring their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from engine.api.answer import Answer, Behind, Bot, Log, WriteError, failure, identify
from engine.api.errors import RequestError
from engine.api.policy import Policy
from engine.api.request import Request
from engine.api.response import (
    Response,
    error_payload,
    preflight,
    respond,
    respond_in_parts,
)
from engine.api.turns import chat
from engine.conversations.opening import NoRooms
from engine.core.deadline import Deadline

if TYPE_CHECKING:
    from engine.conversations.records import RoomKeeper

_WORDS = frozenset({"message", "frames", "text", "reply", "details"})
_SAID = frozenset({"text", "reply"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


Service = Callable[[Request, Deadline | None, str | None], Response]
"""Answers a request by a deadline, if there is one; the text is the request's id in the log. Never raises."""


_Called = tuple[str, list[str]]

_PLAIN: Mapping[str, tuple[str, ...]] = {"/chat": ("POST",), "/": ("POST",), "/health": ("GET", "HEAD")}
"""Methods of the paths for which no table is read."""


def make_service(app: Bot, policy: Policy, log: Log, keeper: RoomKeeper | None = None) -> Service:
    """The API over `app`, whose rooms `keeper` has; every request gives `log` one record."""
    behind = Behind(app=app, policy=policy, keeper=keeper or NoRooms())

    def serve(request: Request, deadline: Deadline | None, request_id: str | None) -> Response:
        started = time.monotonic()
        called = _path_of(request.path)

        def note(status: int, about: Mapping[str, Any]) -> None:
            record = {
                "level": "error" if status >= 500 else "info",
                "request_id": request_id,
                "method": request.method if request.method in _METHODS else "other",
                "path": "other" if called is None else called[0],
                "status": status,
                **about,
                "milliseconds": round((time.monotonic() - started) * 1000, 1),
            }
            # Without words and models, a record holds names of steps and replies alone.
            is_plain = _WORDS.isdisjoint(record) and record.get("model") is None and not record.get("escalations")
            log(record if is_plain else policy.secrets.logged(_masked(record, app), _SAID))

        answer = _guarded(behind, request, called, deadline)
        stream = answer.stream
        if stream is not None:
            return respond_in_parts(request, policy, lambda send, gone: note(answer.status, stream(send, gone)))
        note(answer.status, answer.record)
        return respond(request, policy, answer.status, answer.payload, answer.headers, said=answer.said)

    return serve


def _masked(record: Mapping[str, Any], app: Bot) -> Mapping[str, Any]:
    """`record` with the words in it as external models see them."""
    words = {key: app.masked(record[key]) for key in ("text", "reply", "message") if isinstance(record.get(key), str)}
    details = [app.masked(detail) for detail in record.get("details", ())]
    return {**record, **words, **({"details": details} if "details" in record else {})}


def _path_of(path: str) -> _Called | None:
    """The path as the table of calls writes it, and its parts as they came; `/` is another name of `/chat`."""
    if path in _PLAIN:
        return path, []
    from engine.api.routes import find_path  # noqa: PLC0415  a turn needs no table

    return find_path(path.split("/")[1:])


def _guarded(behind: Behind, request: Request, called: _Called | None, deadline: Deadline | None) -> Answer:
    try:
        return _route(behind, request, called, deadline)
    except Exception as error:  # noqa: BLE001  one of the three places that answer for every mistake of ours
        return failure(error, behind.policy, _error_writer(called))


def _error_writer(called: _Called | None) -> WriteError:
    if called is None or not called[0].startswith("/v1/"):
        return error_payload
    from engine.api.completions import error_object

    return error_object


def _route(behind: Behind, request: Request, called: _Called | None, deadline: Deadline | None) -> Answer:
    if request.refusal is not None:
        raise request.refusal
    if request.method == "OPTIONS":
        return Answer(status=204, headers=preflight())
    if called is None:
        message = "nothing lives at this path: try `POST /chat`, `GET /health` or `GET /openapi.json`"
        raise RequestError(404, "path_unknown", message)
    path, _ = called
    if path not in _PLAIN:
        return _rooms(behind, request, called, deadline)
    _check_method(request, path, _PLAIN[path])
    if path == "/health":
        health = _health(behind.app, behind.policy, request) if request.method == "GET" else None
        return Answer(status=200, payload=health)
    return chat(behind, request, deadline)


def _check_method(request: Request, path: str, methods: Iterable[str]) -> None:
    if request.method not in methods:
        allow = ", ".join((*methods, "OPTIONS"))
        raise RequestError(405, "method_not_allowed", f"`{path}` takes {allow}", {"Allow": allow})


def _rooms(behind: Behind, request: Request, called: _Called, deadline: Deadline | None) -> Answer:
    from urllib.parse import unquote  # noqa: PLC0415  a turn needs none of these

    from engine.api.rooms import SAID, SECONDS, Call, answer
    from engine.api.routes import methods_of  # noqa: PLC0415  as above

    path, parts = called
    methods = methods_of(path)
    _check_method(request, path, methods)
    route = methods[request.method]
    if path.startswith("/v1/"):
        from engine.api.completions import answer as answer_completion

        return answer_completion(behind, request, path, parts, deadline)
    if path == "/openapi.json":
        from engine.api.openapi import document

        return Answer(status=200, payload=document(), said=None)
    principal = identify(behind.policy, request, deadline)
    named = next((part for part, one in zip(parts, route.path.split("/")[1:], strict=True) if one[0] == "{"), "")
    call = Call(
        route=route,
        request=request,
        principal=principal,
        named=unquote(named),
        behind=behind,
        until=deadline or Deadline.after(SECONDS),
    )
    status, payload = answer(call)
    return Answer(status=status, payload=payload, said=SAID)


def _health(app: Bot, policy: Policy, request: Request) -> Mapping[str, Any]:
    """Everything for those who show the client token, or ask from this very machine; one word for strangers."""
    health = app.health()
    known = request.local or policy.gate.holds_client_token(request.headers.get("authorization", ""))
    return health if known else {"status": health["status"]}
