"""Every fault of a provider, and what the engine must make of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from engine.core.errors import (
    AuthFailed,
    BackendError,
    BadRequest,
    ContextTooLong,
    Malformed,
    RateLimited,
    Refused,
    TimedOut,
    Unavailable,
)
from tests.faults import behaviours, wires
from tests.faults.peer import Behaviour, black_hole, refusing
from tests.faults.wires import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`raises` is exact, not a base class; `waits` when only the deadline ends the call. With a `place` the provider is
    looked for at that URL, where nobody plays `behave`.
    """

    name: str
    behave: Callable[[Provider], Behaviour]
    raises: type[BackendError]
    retryable: bool
    waits: bool = False
    place: Callable[[], AbstractContextManager[str]] | None = None
    retry_after: float | None = None


def _refuses(
    name: str,
    status: int,
    raises: type[BackendError],
    *,
    retryable: bool = False,
    code: str = "",
    words: str = "no",
    headers: dict[str, str] | None = None,
    retry_after: float | None = None,
) -> Fault:
    def behave(provider: Provider) -> Behaviour:
        refusal = wires.refusal(provider, status, code=code, words=words)
        return behaviours.respond(refusal.body, status=status, headers={**refusal.headers, **(headers or {})})

    return Fault(name=name, behave=behave, raises=raises, retryable=retryable, retry_after=retry_after)


def _malformed(name: str, behave: Callable[[Provider], Behaviour], *, retryable: bool = True) -> Fault:
    return Fault(name=name, behave=behave, raises=Malformed, retryable=retryable)


def _hangs(name: str, behaviour: Behaviour) -> Fault:
    return Fault(name=name, behave=lambda _: behaviour, raises=TimedOut, retryable=False, waits=True)


HTML = b"<!doctype html><title>502</title><p>the proxy is sorry"

FAULTS = (
    _hangs("silence", behaviours.silence),
    _hangs("slow headers", behaviours.drip_headers),
    _hangs("slow body", behaviours.drip_body),
    _hangs("slow chunks", behaviours.drip_chunks),
    Fault(name="closed early", behave=lambda _: behaviours.close_early, raises=Unavailable, retryable=True),
    Fault(name="reset early", behave=lambda _: behaviours.reset_early, raises=Unavailable, retryable=True),
    Fault(
        name="reset midway",
        behave=lambda p: behaviours.reset_midway(wires.answer(p)),
        raises=Unavailable,
        retryable=True,
    ),
    _malformed("truncated", lambda p: behaviours.truncate(wires.answer(p))),
    _malformed("truncated chunks", lambda p: behaviours.truncate_chunks(wires.answer(p))),
    _malformed("length too short", lambda p: behaviours.respond(wires.answer(p), length=40)),
    _malformed("length too long", lambda p: behaviours.respond(wires.answer(p), length=4_000)),
    _malformed("endless body", lambda _: behaviours.endless_body, retryable=False),
    _malformed("endless chunk", lambda _: behaviours.endless_chunk),
    _malformed("endless headers", lambda _: behaviours.endless_headers),
    _malformed("gzip bomb", lambda _: behaviours.gzip_bomb(), retryable=False),
    _malformed("not http", lambda _: behaviours.not_http),
    _malformed("not json", lambda _: behaviours.respond(b'{"choices": [')),
    _malformed("deep json", lambda _: behaviours.respond(b'{"choices":' + b"[" * 100_000)),
    _malformed(
        "too many parts",
        lambda _: behaviours.respond(b'{"choices":[' + b"{}," * 300_000 + b"{}]}"),
        retryable=False,
    ),
    _malformed("html at 200", lambda _: behaviours.respond(HTML, content_type="text/html")),
    _malformed(
        "event with an error", lambda p: behaviours.respond(wires.error_at_200(p), content_type="text/event-stream")
    ),
    _malformed("error at 200", lambda _: behaviours.respond(b'{"error": {"message": "overloaded"}}')),
    _malformed("empty body", lambda _: behaviours.respond(b"")),
    _malformed("null", lambda _: behaviours.respond(b"null")),
    _malformed("empty object", lambda _: behaviours.respond(b"{}")),
    _malformed("wrong shape", lambda _: behaviours.respond(b'{"choices": 5, "output": [1], "stopReason": "end_turn"}')),
    _refuses("400", 400, BadRequest),
    _refuses("401", 401, AuthFailed),
    _refuses("403", 403, AuthFailed),
    _refuses("404", 404, BadRequest),
    _refuses("408", 408, Unavailable, retryable=True),
    _refuses("429", 429, RateLimited, retryable=True, headers={"Retry-After": "7"}, retry_after=7.0),
    _refuses("429 in ms", 429, RateLimited, retryable=True, headers={"retry-after-ms": "1500"}, retry_after=1.5),
    _refuses("500", 500, Unavailable, retryable=True),
    _refuses("502", 502, Unavailable, retryable=True),
    _refuses("503", 503, Unavailable, retryable=True, headers={"Retry-After": "2"}, retry_after=2.0),
    _refuses("504", 504, TimedOut, retryable=True),
    _refuses("529", 529, Unavailable, retryable=True),
    _refuses("context too long", 400, ContextTooLong, words="this model's maximum context length is 8192 tokens"),
    _refuses("content filter", 400, Refused, words="the request was stopped by our content filter"),
    _refuses("redirect", 302, Unavailable, headers={"Location": "http://127.0.0.1:9/"}),
)

UNREACHABLE = (
    Fault(
        name="a connection that never opens",
        behave=lambda _: behaviours.silence,
        raises=TimedOut,
        retryable=False,
        waits=True,
        place=black_hole,
    ),
    Fault(
        name="nobody listens",
        behave=lambda _: behaviours.silence,
        raises=Unavailable,
        retryable=True,
        place=refusing,
    ),
)
