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
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpcore2

from engine.core.deadline import Deadline
from engine.core.errors import BackendError, BadRequest, Malformed, TimedOut, Unavailable
from engine.models.http.address import is_address
from engine.models.http.connecting import Resolver, connect, left, lookup

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
    be asked.
    """
    if not is_address(request.url):
        raise BadRequest(f"the base URL of {backend} is not an http or https address", backend=backend)
    url = urlsplit(request.url)
    built = _built(url, request, backend)
    try:
        stream = _Stream(connect(url, deadline, backend, resolve), deadline, limit + _HEADER_ROOM, backend)
        with closing(httpcore2.HTTP11Connection(built.url.origin, stream)) as connection:
            return _converse(connection, built, stream, limit)
    except TimeoutError:
        raise TimedOut(f"{backend} did not answer before the deadline", backend=backend) from None
    except ssl.SSLCertVerificationError:
        raise Unavailable(
            f"the certificate of {url.hostname} is not trusted: install ca-certificates or set SSL_CERT_FILE",
            backend=backend,
        ) from None
    except OSError as error:
        reason = (error.strerror or "connection failed").lower()
        raise Unavailable(f"{backend} cannot be reached: {reason}", backend=backend, retryable=True) from None


class _Stream(httpcore2.NetworkStream):
    """A connection on which every wait is cut to what the deadline leaves; it counts what it receives."""

    def __init__(self, connection: socket.socket, deadline: Deadline, limit: int, backend: str) -> None:
        self.backend = backend
        self.received = 0
        self._connection = connection
        self._deadline = deadline
        self._limit = limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  the deadline decides
        self._connection.settimeout(left(self._deadline))
        data = self._connection.recv(max_bytes)
        self.received += len(data)
        if self.received > self._limit:
            raise _too_large(self.backend)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  the deadline decides
        if not buffer:
            return  # to send nothing would use up the error of a connection that was reset
        self._connection.settimeout(left(self._deadline))
        try:
            self._connection.sendall(buffer)
        except (BrokenPipeError, ConnectionResetError) as error:
            # A peer that refuses early may close before it has read everything: httpcore2 reads its answer then.
            raise httpcore2.WriteError from error

    def close(self) -> None:
        self._connection.close()

    def hurry(self, seconds: float) -> None:
        """Allow no more than `seconds` from now on."""
        self._deadline = self._deadline.within(seconds)


def _built(url: SplitResult, request: HttpRequest, backend: str) -> httpcore2.Request:
    headers = (*_own_headers(url, request), *_others(request.headers))
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        address = httpcore2.URL(scheme=url.scheme, host=url.hostname or "", port=url.port, target=target)
        return httpcore2.Request(request.method, address, headers=headers, content=request.body)
    except (ValueError, TypeError):
        raise _unsendable(backend) from None


def _converse(
    connection: httpcore2.HTTP11Connection, request: httpcore2.Request, stream: _Stream, limit: int
) -> HttpResponse:
    try:
        response = connection.handle_request(request)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        encoding = headers.get("content-encoding", "identity")
        if response.status < 400:
            body = _read(response, encoding, limit, stream.backend)
        else:
            stream.hurry(_ERROR_BODY_SECONDS)
            body = _read_what_comes(response, encoding, stream.backend)
        return HttpResponse(status=response.status, headers=headers, body=body)
    except httpcore2.LocalProtocolError:
        raise _unsendable(stream.backend) from None
    except httpcore2.RemoteProtocolError:
        raise _broken(stream) from None


def _broken(stream: _Stream) -> BackendError:
    backend = stream.backend
    if not stream.received:
        return Unavailable(f"{backend} closed the connection without an answer", backend=backend, retryable=True)
    return Malformed(f"the answer of {backend} is not HTTP, or was cut short", backend=backend, retryable=True)


def _own_headers(url: SplitResult, request: HttpRequest) -> Sequence[tuple[str, str]]:
    return (
        ("Host", url.netloc.rpartition("@")[2]),
        ("Connection", "close"),
        ("Accept-Encoding", "identity"),
        ("Content-Length", str(len(request.body))),
    )


def _others(headers: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _OURS]


def _read(response: httpcore2.Response, encoding: str, limit: int, backend: str) -> bytes:
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(backend)
    return _decoded(bytes(body), encoding, limit, backend)


def _read_what_comes(response: httpcore2.Response, encoding: str, backend: str) -> bytes:
    """An error's body only adds to its status: where it is slow, broken or long, do without."""
    try:
        return _read(response, encoding, _ERROR_BODY_LIMIT, backend)
    except (httpcore2.RemoteProtocolError, OSError, Malformed):
        return b""


def _decoded(body: bytes, encoding: str, limit: int, backend: str) -> bytes:
    """`identity` is asked for, but a proxy on the way may compress all the same."""
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip" | "deflate":
            decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
            try:
                text = decompressor.decompress(body, limit + 1)
            except zlib.error:
                raise Malformed(f"the answer of {backend} is not compressed as it says", backend=backend) from None
            if len(text) > limit:
                raise _too_large(backend)
            if not decompressor.eof:
                raise Malformed(f"the answer of {backend} was cut short", backend=backend, retryable=True)
            return text
        case _:
            raise Malformed(f"the answer of {backend} is compressed in a way that was not asked for", backend=backend)


def _too_large(backend: str) -> Malformed:
    return Malformed(f"the answer of {backend} is larger than any answer should be", backend=backend)


def _unsendable(backend: str) -> BadRequest:
    return BadRequest(f"a header or the path of the request to {backend} is not valid", backend=backend)
