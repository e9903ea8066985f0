"""One HTTP exchange that ends at its deadline whatever the peer does, and leaves nothing open behind it.

HTTP libraries bound each single wait, so a peer that drips bytes holds them for as long as it likes. Here every wait
on the socket gets only what the deadline still leaves, on the caller's own thread: no watchdog, no pool, no thread to
leave behind. One connection serves one exchange. The body is read to a fixed size and no further, compressed or not.
This module knows HTTP and nothing of providers; faults carry the backend's name for whoever reads them.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import zlib
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from engine.backends.address import is_address
from engine.backends.connecting import Resolver, connect, left, lookup
from engine.model.deadline import Deadline
from engine.model.errors import BadRequest, Malformed, TimedOut, Unavailable

BODY_LIMIT = 2_000_000
"""Bytes of a response body, before and after decompression."""

_READ_SIZE = 65_536
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
    try:
        with closing(connect(url, deadline, backend, resolve)) as connection:
            stream = _Stream(connection, deadline, limit + _HEADER_ROOM, backend)
            return _converse(stream, url, request, limit, backend)
    except TimeoutError:
        raise _late(backend) from None
    except ssl.SSLCertVerificationError:
        raise Unavailable(
            f"the certificate of {url.hostname} is not trusted: install ca-certificates or set SSL_CERT_FILE",
            backend=backend,
        ) from None
    except http.client.IncompleteRead:
        raise Malformed(f"the answer of {backend} was cut short", backend=backend, retryable=True) from None
    except http.client.RemoteDisconnected:
        raise Unavailable(
            f"{backend} closed the connection without an answer", backend=backend, retryable=True
        ) from None
    except (http.client.HTTPException, ValueError):
        raise Malformed(f"the answer of {backend} is not HTTP", backend=backend, retryable=True) from None
    except OSError as error:
        reason = (error.strerror or "connection failed").lower()
        raise Unavailable(f"{backend} cannot be reached: {reason}", backend=backend, retryable=True) from None


class _Reader(io.RawIOBase):
    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._stream.receive_into(buffer)


class _Stream:
    """What `http.client` asks of a socket, every wait cut to what the deadline leaves.

    It counts what it receives itself: `http.client` reads a chunk of a negative size to the end of the stream.
    """

    def __init__(self, connection: socket.socket, deadline: Deadline, limit: int, backend: str) -> None:
        self._connection = connection
        self._deadline = deadline
        self._left_to_receive = limit
        self._backend = backend

    def sendall(self, data: bytes) -> None:
        """Piece by piece: over TLS the time-out of a whole `sendall` is that of each record."""
        rest = memoryview(data)
        while rest:
            self._arm()
            rest = rest[self._connection.send(rest) :]

    def receive_into(self, buffer: memoryview) -> int:
        self._arm()
        received = self._connection.recv_into(buffer)
        self._left_to_receive -= received
        if self._left_to_receive < 0:
            raise _too_large(self._backend)
        return received

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """`exchange` closes the connection; `http.client` would while its response is still being read."""

    def hurry(self, seconds: float) -> None:
        """Allow no more than `seconds` from now on."""
        self._deadline = self._deadline.within(seconds)

    def _arm(self) -> None:
        self._connection.settimeout(left(self._deadline))


def _converse(stream: _Stream, url: SplitResult, request: HttpRequest, limit: int, backend: str) -> HttpResponse:
    client = http.client.HTTPConnection("")  # whose connection and `Host` are given below
    client.sock = stream  # the part of a socket that http.client uses
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        client.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in (*_own_headers(url, request), *_others(request.headers)):
            client.putheader(name, value)
    except (ValueError, http.client.InvalidURL):
        raise BadRequest(f"a header or the path of the request to {backend} is not valid", backend=backend) from None
    # A peer that refuses early may close before it has read everything: its answer is there all the same.
    with suppress(BrokenPipeError, ConnectionResetError):
        client.endheaders(request.body)
    with client.getresponse() as response:
        if response.status < 400:
            body = _read(response, limit, backend)
        else:
            stream.hurry(_ERROR_BODY_SECONDS)
            body = _read_what_comes(response, backend)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return HttpResponse(status=response.status, headers=headers, body=body)


def _own_headers(url: SplitResult, request: HttpRequest) -> Sequence[tuple[str, str]]:
    return (
        ("Host", url.netloc.rpartition("@")[2]),
        ("Connection", "close"),
        ("Accept-Encoding", "identity"),
        ("Content-Length", str(len(request.body))),
    )


def _others(headers: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _OURS]


def _read(response: http.client.HTTPResponse, limit: int, backend: str) -> bytes:
    body = bytearray()
    while chunk := response.read(_READ_SIZE):
        body += chunk
        if len(body) > limit:
            raise _too_large(backend)
    if response.length:
        raise http.client.IncompleteRead(b"")
    return _decoded(bytes(body), response.headers.get("content-encoding", "identity"), limit, backend)


def _read_what_comes(response: http.client.HTTPResponse, backend: str) -> bytes:
    """An error's body only adds to its status: where it is slow, broken or long, do without."""
    try:
        return _read(response, _ERROR_BODY_LIMIT, backend)
    except (http.client.HTTPException, ValueError, OSError, Malformed):
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
                raise http.client.IncompleteRead(b"")
            return text
        case _:
            raise Malformed(f"the answer of {backend} is compressed in a way that was not asked for", backend=backend)


def _late(backend: str) -> TimedOut:
    return TimedOut(f"{backend} did not answer before the deadline", backend=backend)


def _too_large(backend: str) -> Malformed:
    return Malformed(f"the answer of {backend} is larger than any answer should be", backend=backend)
