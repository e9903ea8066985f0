"""One HTTP exchange that ends at its deadline whatever the peer does, and leaves nothing open behind it.

HTTP libraries bound each single wait, so a peer that drips bytes holds them for as long as it likes. Here `httpcore2`
speaks the protocol over a stream that cuts every wait to what the deadline still leaves, on the caller's own thread: no
watchdog, no pool, no thread to leave behind. One connection serves one exchange. The body is read to a fixed size and
no further, compressed or not. This module knows HTTP and nothing of providers; faults carry the backend's name for
whoever reads them.
"""

from __future__ import annotations

import socket
import ssl
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import SplitResult, urlsplit

import httpcore2

from engine.core.deadline import Deadline
from engine.core.errors import BackendError, BadRequest, Cancelled, Malformed, TimedOut, Unavailable
from engine.models.http.address import is_address
from engine.models.http.connecting import Resolver, connect, lookup, wait

BODY_LIMIT = 2_000_000
"""Bytes of a response body, before and after decompression."""

_ERROR_BODY_LIMIT = 65_536
_ERROR_BODY_SECONDS = 0.5
_HEADER_ROOM = 131_072
_OURS = frozenset({"host", "connection", "accept-encoding", "content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """`headers` have lower-case names; `body` is decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def exchange(
    request: HttpRequest,
    deadline: Deadline,
    backend: str,
    *,
    limit: int = BODY_LIMIT,
    resolve: Resolver = lookup,
) -> HttpResponse:
    """Send `request` and read the whole answer, of any status.

    Raises `TimedOut` at the deadline, `Unavailable` when the peer cannot be reached or drops the connection,
    `Malformed` when its answer is not HTTP, is cut short or exceeds `limit` bytes, `BadRequest` for a URL that cannot
    be asked, `Cancelled` when nobody waits any more.
    """
    with closing(begin(request, deadline, backend, limit=limit, resolve=resolve)) as incoming:
        return incoming.whole()


def begin(
    request: HttpRequest,
    deadline: Deadline,
    backend: str,
    *,
    limit: int = BODY_LIMIT,
    resolve: Resolver = lookup,
) -> Incoming:
    """Send `request` and read the answer as far as its body, which comes as it is asked for; raises as `exchange`."""
    if not is_address(request.url):
        raise BadRequest(f"the base URL of {backend} is not an http or https address", backend=backend)
    url = urlsplit(request.url)
    built = _built(url, request, backend)
    with _typed(url.hostname, deadline, backend):
        stream = _Stream(connect(url, deadline, backend, resolve), deadline, limit + _HEADER_ROOM, backend)
        connection = httpcore2.HTTP11Connection(built.url.origin, stream)
        try:
            with _spoken(stream):
                return Incoming(url.hostname, stream, connection, connection.handle_request(built), limit)
        except BaseException:
            connection.close()
            raise


class Incoming:
    """An answer whose body is still to come; `headers` have lower-case names. Whoever has one closes it."""

    def __init__(
        self,
        host: str | None,
        stream: _Stream,
        connection: httpcore2.HTTP11Connection,
        response: httpcore2.Response,
        limit: int,
    ) -> None:
        self.status = response.status
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        self._host, self._stream, self._connection = host, stream, connection
        self._response, self._limit = response, limit

    def chunks(self) -> Iterator[bytes]:
        """The decoded body as it comes; raises as `exchange` does."""
        stream, received = self._stream, 0
        with _typed(self._host, stream.deadline, stream.backend), _spoken(stream):
            decoder = _Decoder(self.headers.get("content-encoding", "identity"), stream.backend)
            for chunk in self._response.iter_stream():
                decoded = decoder.decode(chunk, self._limit + 1 - received)
                received += len(decoded)
                if received > self._limit:
                    raise _too_large(stream.backend)
                if decoded:
                    yield decoded
            decoder.end()

    def whole(self) -> HttpResponse:
        """All of it. The body of an error only adds to its status: where it is slow, broken or long, do without."""
        if self.status < 400:
            return HttpResponse(status=self.status, headers=self.headers, body=b"".join(self.chunks()))
        self.hurry(_ERROR_BODY_SECONDS)
        self._limit = min(self._limit, _ERROR_BODY_LIMIT)
        try:
            body = b"".join(self.chunks())
        except Cancelled:
            raise
        except BackendError:
            body = b""
        return HttpResponse(status=self.status, headers=self.headers, body=body)

    def hurry(self, seconds: float) -> None:
        """Allow what is left of it no more than `seconds`."""
        self._stream.deadline = self._stream.deadline.within(seconds)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def _typed(host: str | None, deadline: Deadline, backend: str) -> Iterator[None]:
    """Faults of a connection as errors of the engine."""
    try:
        yield
    except TimeoutError:
        if deadline.cancelled:
            raise Cancelled(f"nobody waits for the answer of {backend} any more", backend=backend) from None
        raise TimedOut(f"{backend} did not answer before the deadline", backend=backend) from None
    except ssl.SSLCertVerificationError:
        raise Unavailable(
            f"the certificate of {host} is not trusted: install ca-certificates or set SSL_CERT_FILE",
            backend=backend,
        ) from None
    except OSError as error:
        reason = (error.strerror or "connection failed").lower()
        raise Unavailable(f"{backend} cannot be reached: {reason}", backend=backend, retryable=True) from None


@contextmanager
def _spoken(stream: _Stream) -> Iterator[None]:
    """Faults of the protocol as errors of the engine."""
    backend = stream.backend
    try:
        yield
    except httpcore2.LocalProtocolError:
        raise _unsendable(backend) from None
    except httpcore2.RemoteProtocolError:
        if not stream.received:
            message = f"{backend} closed the connection without an answer"
            raise Unavailable(message, backend=backend, retryable=True) from None
        message = f"the answer of {backend} is not HTTP, or was cut short"
        raise Malformed(message, backend=backend, retryable=True) from None


class _Stream(httpcore2.NetworkStream):
    """A connection on which every wait is cut to what the deadline leaves; it counts what it receives."""

    def __init__(self, connection: socket.socket, deadline: Deadline, limit: int, backend: str) -> None:
        self.backend = backend
        self.deadline = deadline
        self.received = 0
        self._connection = connection
        self._limit = limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  the deadline decides
        data = wait(self._connection, self.deadline, lambda: self._connection.recv(max_bytes))
        self.received += len(data)
        if self.received > self._limit:
            raise _too_large(self.backend)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  the deadline decides
        unsent = memoryview(buffer)
        try:
            while unsent:
                unsent = unsent[wait(self._connection, self.deadline, partial(self._connection.send, unsent)) :]
        except (BrokenPipeError, ConnectionResetError) as error:
            # A peer that refuses early may close before it has read everything: httpcore2 reads its answer then.
            raise httpcore2.WriteError from error

    def close(self) -> None:
        self._connection.close()


def _built(url: SplitResult, request: HttpRequest, backend: str) -> httpcore2.Request:
    headers = (*_own_headers(url, request), *_others(request.headers))
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        address = httpcore2.URL(scheme=url.scheme, host=url.hostname or "", port=url.port, target=target)
        return httpcore2.Request(request.method, address, headers=headers, content=request.body)
    except (ValueError, TypeError):
        raise _unsendable(backend) from None


def _own_headers(url: SplitResult, request: HttpRequest) -> Sequence[tuple[str, str]]:
    return (
        ("Host", url.netloc.rpartition("@")[2]),
        ("Connection", "close"),
        ("Accept-Encoding", "identity"),
        ("Content-Length", str(len(request.body))),
    )


def _others(headers: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _OURS]


class _Decoder:
    """Decodes a body as it comes. `identity` is asked for, but a proxy on the way may compress all the same."""

    def __init__(self, encoding: str, backend: str) -> None:
        self._backend = backend
        match encoding.strip().lower():
            case "" | "identity":
                self._inflate = None
            case "gzip" | "x-gzip" | "deflate":
                self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
            case _:
                message = f"the answer of {backend} is compressed in a way that was not asked for"
                raise Malformed(message, backend=backend)

    def decode(self, chunk: bytes, most: int) -> bytes:
        """No more than `most` bytes, of which there is one at least."""
        if self._inflate is None:
            return chunk
        try:
            return self._inflate.decompress(chunk, most)
        except zlib.error:
            message = f"the answer of {self._backend} is not compressed as it says"
            raise Malformed(message, backend=self._backend) from None

    def end(self) -> None:
        if self._inflate is not None and not self._inflate.eof:
            raise Malformed(f"the answer of {self._backend} was cut short", backend=self._backend, retryable=True)


def _too_large(backend: str) -> Malformed:
    return Malformed(f"the answer of {backend} is larger than any answer should be", backend=backend)


def _unsendable(backend: str) -> BadRequest:
    return BadRequest(f"a header or the path of the request to {backend} is not valid", backend=backend)
