"""The one way that vendor SDKs reach the network: through the call that is under way in this context.

An SDK builds the request, signs it and reads the answer; the exchange itself is ours. `Call` holds the deadline for
it and remembers what went wrong, because SDKs wrap or swallow what their transport raises. An answer that is not a
JSON object with a success status never reaches an SDK, nor does a stream of events that is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from engine.core.deadline import Deadline
from engine.core.errors import BackendError, BadRequest, Malformed, UnsupportedParameter
from engine.models.http.transport import HttpRequest, HttpResponse, Incoming, begin, exchange
from engine.models.providers.classify import refusal

STREAM_LIMIT = 16_000_000
"""Bytes of a stream of events, each of which holds some words and some hundred bytes about them."""
_MOST_OBJECTS = 10_000
_MOST_VALUES = 100_000
"""Parts of an answer: one of 4,000 tokens with their probabilities has 4,000 objects and 30,000 values."""

_END = b"[DONE]"
_HURRY = 0.5
"""Seconds that what comes behind the end of an answer, such as its tokens, may take."""


@dataclass(slots=True, kw_only=True)
class Call:
    """One request of one model, whose answer comes whole or `streams`; `secrets` must not show in any error,
    `parameters` may be refused by name.
    """

    backend: str
    deadline: Deadline
    secrets: tuple[str, ...] = field(repr=False)
    parameters: frozenset[str] = frozenset()
    streams: bool = False
    response: HttpResponse | None = None
    failure: BackendError | None = None
    _incoming: Incoming | None = None
    _tail: bytes = b""

    def send(self, request: HttpRequest) -> HttpResponse:
        """The provider's answer: a success with a JSON object for a body. Raises `BackendError` for anything else."""
        with self._noting():
            response = exchange(request, self.deadline, self.backend)
            if not 200 <= response.status < 300:
                raise refusal(response, self.backend, secrets=self.secrets, parameters=self.parameters)
            _require_json_object(response, self.backend)
        self.response = response
        return response

    def open(self, request: HttpRequest) -> Incoming:
        """The provider's answer as a stream of events, with a success status; raises `BackendError` as `send` does.

        A server that answers in one piece does not know the parameter that asks for a stream.
        """
        with self._noting():
            self._incoming = incoming = begin(request, self.deadline, self.backend, limit=STREAM_LIMIT)
            if not 200 <= incoming.status < 300:
                raise refusal(incoming.whole(), self.backend, secrets=self.secrets, parameters=self.parameters)
            if incoming.headers.get("content-type", "").startswith("application/json"):
                _require_json_object(incoming.whole(), self.backend)
                unknown = UnsupportedParameter(f"{self.backend} does not stream", backend=self.backend, status=200)
                unknown.parameters = frozenset({"stream"})
                raise unknown
        return incoming

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the stream as they come; raises `BackendError`."""
        with self._noting():
            counter = _Counter(self.backend)
            for chunk in () if self._incoming is None else self._incoming.chunks():
                counter.take(chunk)
                self._tail = (self._tail + chunk)[-2 * len(_END) :]
                yield chunk

    @property
    def ended(self) -> bool:
        """Whether the stream said that this is all."""
        return _END in self._tail

    def hurry(self) -> None:
        """Wait only a moment for what comes behind the end of the answer."""
        if self._incoming is not None:
            self._incoming.hurry(_HURRY)

    def close(self) -> None:
        if self._incoming is not None:
            self._incoming.close()

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Keeps what goes wrong for `explain`."""
        try:
            yield
        except BackendError as error:
            self.failure = error
            raise

    def explain(self) -> BackendError:
        """What to raise for an exception that the SDK raised, whatever it looked like by then."""
        if self.failure is not None:
            return self.failure
        if self.response is not None or self._incoming is not None:
            return Malformed(
                f"the answer of {self.backend} is not shaped as agreed", backend=self.backend, retryable=True
            )
        return BadRequest(
            f"the request to {self.backend} could not be built from this prompt", backend=self.backend, called=False
        )


_CURRENT: ContextVar[Call] = ContextVar("call")


@contextmanager
def under_way(call: Call) -> Iterator[Call]:
    """Let SDKs used in this context send through `call`."""
    token = _CURRENT.set(call)
    try:
        yield call
    finally:
        _CURRENT.reset(token)


def current() -> Call:
    """The call under way; raises `LookupError` outside of one, so that no SDK reaches the network on its own."""
    return _CURRENT.get()


class _Counter:
    """Refuses an answer, or a line of a stream, with more parts than any real one has: what an SDK makes of each takes
    time that no deadline interrupts.
    """

    def __init__(self, backend: str) -> None:
        self._backend, self._objects, self._values = backend, 0, 0

    def take(self, data: bytes) -> None:
        """Counts what has come; raises `Malformed`."""
        for number, line in enumerate(data.split(b"\n")):
            if number:
                self._objects = self._values = 0
            self._objects += line.count(b"{")
            self._values += line.count(b",") + line.count(b"[")
            if self._objects > _MOST_OBJECTS or self._values > _MOST_VALUES:
                raise Malformed(f"the answer of {self._backend} has too many parts", backend=self._backend, status=200)


def _require_json_object(response: HttpResponse, backend: str) -> None:
    _Counter(backend).take(response.body.replace(b"\n", b" "))
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        raise Malformed(f"the answer of {backend} is not JSON", backend=backend, status=200, retryable=True) from None
    if not isinstance(body, dict):
        raise Malformed(f"the answer of {backend} is not a JSON object", backend=backend, status=200, retryable=True)
    if body.get("error"):
        raise Malformed(f"{backend} answered 200 with an error", backend=backend, status=200, retryable=True)
