"""The ASGI application: requests over HTTP to the API, which answers them in a pool of threads.

Beside the API's own paths there are a greeting at `GET /`, which is the playground for browsers at this machine, the
widget, and Lambda's local path, where the posted JSON is an event and the answer is what the function returns.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response as HttpResponse
from starlette.responses import StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.api.answer import identify
from engine.api.body import BODY_LIMIT, EVENT_LIMIT, read_event_json, too_large
from engine.api.errors import RequestError
from engine.api.policy import Policy
from engine.api.request import Request, path_without_base
from engine.api.response import ClientGone, Response, refuse, to_json
from engine.api.service import Service
from engine.core.record import record, replace
from engine.web.access import Access
from engine.web.playground import Playground, script
from engine.web.pool import Busy, Pool
from engine.web.protocol import LINGER

HEARTBEAT = 5.0
"""Seconds without a part after which a stream says that it is alive."""
INVOCATIONS = "/2015-03-31/functions/function/invocations"
_INVOCATION_PATHS = tuple(f"/{{base:path}}2015-03-31/functions/{{name}}/invocations{end}" for end in ("", "/"))
"""The path as Lambda has it: behind any base path, and for any name of a function."""

_ABSOLUTE = re.compile(r"(?i)https?://([^/?#]*)(.*)")
_SLASHES = re.compile("//+")

Invoke = Callable[[Any, str], Any]
"""Gives an event to the function, with an id of the request; returns the function's answer as JSON values."""


@record
class Hosted:
    """What the application serves; `greeting` is what a visitor at `/` reads who gets no `playground`."""

    service: Service
    invoke: Invoke
    policy: Policy
    access: Access
    greeting: str = ""
    playground: Playground | None = None


Answer = Callable[[Hosted, Request], Response]


def make_app(hosted: Hosted, pool: Pool[Response], seconds: float) -> Starlette:
    """The application over `hosted`, whose requests have some seconds for their bodies to arrive."""
    endpoint = partial(_Endpoint, hosted, pool, seconds)
    routes = [
        Route("/", endpoint(_greet, BODY_LIMIT), methods=["GET"]),
        Route("/widget.js", endpoint(_widget, BODY_LIMIT), methods=["GET"]),
        *([Route("/playground/{call}", endpoint(_play, BODY_LIMIT))] if hosted.playground else ()),
        *(Route(path, endpoint(_invoke, EVENT_LIMIT)) for path in _INVOCATION_PATHS),
        Mount("/", endpoint(_serve, BODY_LIMIT)),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(_Entrance, hosted)])
    # `*` is no path and has no route.
    app.router.default = endpoint(_serve, BODY_LIMIT)
    return app


def _serve(hosted: Hosted, request: Request) -> Response:
    return hosted.service(request, None, _new_id())


def _greet(hosted: Hosted, request: Request) -> Response:
    is_browser = "text/html" in request.headers.get("accept", "")
    if hosted.playground is not None and request.local and is_browser:
        return hosted.playground.page()
    headers = {"Content-Type": "text/plain; charset=utf-8", "Vary": "Accept"}
    return Response(status=200, headers=headers, body=hosted.greeting)


def _widget(hosted: Hosted, request: Request) -> Response:
    return script(request, hosted.policy)


def _play(hosted: Hosted, request: Request) -> Response:
    if hosted.playground is None:
        raise TypeError("its route is there where it is")
    return hosted.playground.answer(request)


def _invoke(hosted: Hosted, request: Request) -> Response:
    """As Lambda's own emulator does it, but that a client token, where one is set, is asked for here too."""
    if request.method != "POST":
        raise RequestError(405, "method_not_allowed", f"`{INVOCATIONS}` takes POST", {"Allow": "POST"})
    identify(hosted.policy, request)
    answer = hosted.invoke(read_event_json(request.body), _new_id())
    return Response(status=200, headers={"Content-Type": "application/json"}, body=to_json(answer))


def _new_id() -> str:
    return os.urandom(16).hex()


class _Entrance:
    """Reads the head of every request, and lets in those that `Access` does."""

    def __init__(self, app: ASGIApp, hosted: Hosted) -> None:
        self._app, self._hosted = app, hosted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        target = scope["raw_path"].decode("latin-1")
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute:
            # What it names is asked for, whatever `Host` says.
            headers["host"], target = absolute[1], absolute[2] or "/"
            scope["path"] = target
        scope["path"] = _SLASHES.sub("/", scope["path"])
        peer = (scope.get("client") or ("",))[0]
        access = self._hosted.access
        request = Request(
            method=scope["method"],
            path=path_without_base(target),
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
            headers=headers,
            local=access.is_local(peer, headers),
            peer=peer,
        )
        scope["state"]["request"] = request
        try:
            _check_form(scope["http_version"], target, headers)
            access.check(request.method, headers)
        except RequestError as error:
            await _send_and_close(refuse(request, self._hosted.policy, error), receive, send)
        else:
            await self._app(scope, receive, send)


def _check_form(version: str, target: str, headers: dict[str, str]) -> None:
    """Raises `RequestError` for what a proxy in between may read in another way."""
    if version not in ("1.0", "1.1"):
        raise RequestError(505, "http_invalid", "this server speaks HTTP/1.1")
    if not target.startswith(("/", "*")):
        raise RequestError(400, "http_invalid", "the request target is no path")
    if "transfer-encoding" in headers and "content-length" in headers:
        raise RequestError(400, "http_invalid", "a body has a Content-Length or comes in chunks, not both")


class _Endpoint:
    """Reads the body and answers in the pool by `answer`."""

    def __init__(self, hosted: Hosted, pool: Pool[Response], seconds: float, answer: Answer, limit: int) -> None:
        self._hosted, self._pool, self._seconds, self._answer, self._limit = hosted, pool, seconds, answer, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: Request = scope["state"]["request"]
        try:
            body = await _body(request, receive, self._limit, self._seconds)
            if body is None:
                return
            answer = partial(_answer, self._hosted, replace(request, body=body), self._answer)
            response = await self._pool.run(answer)
        except RequestError as error:
            await _send_and_close(refuse(request, self._hosted.policy, error), receive, send)
        except Busy:
            await _send(self._busy(request), scope, receive, send)
        else:
            if response.stream is None:
                await _send(response, scope, receive, send)
            else:
                await self._stream(request, response, scope, receive, send)

    async def _stream(self, request: Request, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the turn in the pool, and sends each part when it comes."""
        parts = _Parts(self._pool, response)
        try:
            first = await parts.first()
        except Busy:
            await _send(self._busy(request), scope, receive, send)
            return
        try:
            await StreamingResponse(parts.rest(first), response.status, response.headers)(scope, receive, send)
        finally:
            await parts.end()

    def _busy(self, request: Request) -> Response:
        error = RequestError(503, "busy", "too many requests at once: try again in a moment", {"Retry-After": "1"})
        return refuse(request, self._hosted.policy, error)


class _Parts:
    """Hands the parts of a stream from the thread of its turn to the event loop."""

    def __init__(self, pool: Pool[Response], response: Response) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._gone = threading.Event()
        self._response = response
        self._running = asyncio.ensure_future(pool.run(self._run))
        self._running.add_done_callback(lambda _: self._queue.put_nowait(None))

    async def first(self) -> str | None:
        """The first part, or `None` for a stream without any; raises `Busy` when the turn did not begin."""
        part = await self._queue.get()
        if part is None:
            await self._running
        return part

    async def rest(self, part: str | None) -> AsyncIterator[str]:
        """`part` and those after it; a comment while none comes, so that nobody takes the line for dead."""
        while part is not None:
            yield part
            waiting = asyncio.ensure_future(self._queue.get())
            while not (await asyncio.wait({waiting}, timeout=HEARTBEAT))[0]:
                yield ": still here\n\n"
            part = waiting.result()

    async def end(self) -> None:
        """Let the turn know that nobody reads any more, and wait for it."""
        self._gone.set()
        await self._running

    def _run(self) -> Response:
        if self._response.stream is not None:
            self._response.stream(self._send, self._gone)
        return self._response

    def _send(self, part: str) -> None:
        if self._gone.is_set():
            raise ClientGone
        self._loop.call_soon_threadsafe(self._queue.put_nowait, part)


def _answer(hosted: Hosted, request: Request, answer: Answer) -> Response:
    try:
        return answer(hosted, request)
    except RequestError as error:
        return refuse(request, hosted.policy, error)


async def _body(request: Request, receive: Receive, limit: int, seconds: float) -> bytes | None:
    """The body; `None` where the client has left. Raises `RequestError` where it is too large or too late."""
    if int(request.headers.get("content-length", "0")) > limit:
        raise too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                if len(body) > limit:
                    raise too_large()
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise RequestError(408, "body_late", f"the body did not arrive within {seconds:g} s") from None


async def _send(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    await HttpResponse(response.body.encode(), response.status, response.headers)(scope, receive, send)


async def _send_and_close(response: Response, receive: Receive, send: Send) -> None:
    """Send the response at once, then throw away what still comes of the body, for a while: a connection that is closed
    over unread bytes takes the response with it.
    """
    sent = HttpResponse(response.body.encode(), response.status, {**response.headers, "Connection": "close"})
    await send({"type": "http.response.start", "status": sent.status_code, "headers": sent.raw_headers})
    await send({"type": "http.response.body", "body": sent.body, "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            while (await receive()).get("more_body", False):
                pass
    await send({"type": "http.response.body"})
