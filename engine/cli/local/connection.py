"""One client's connection: HTTP in, bounded in size and time, and proxy responses out."""

from __future__ import annotations

import io
import socket
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol, cast

from engine.aws.body import too_large
from engine.aws.errors import RequestError
from engine.cli.local.events import Incoming, joined
from engine.cli.local.front import Front
from engine.cli.local.reader import TimedReader

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`connections` may be open at once; a request must arrive, and a response leave, within `seconds`."""

    connections: int = 64
    seconds: float = 15.0


class Server(Protocol):
    """What a connection needs of the server that accepted it."""

    front: Front
    limits: Limits


class Connection(BaseHTTPRequestHandler):
    """Answers the requests of one connection in turn."""

    protocol_version = "HTTP/1.1"
    server_version = "misaki"
    sys_version = ""
    # Without these two, a response on a connection that is kept takes 40 to 75 ms.
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        server = cast("Server", self.server)
        self._front, self._limits = server.front, server.limits
        self._raw = TimedReader(cast("socket.socket", self.connection))
        self._reader = io.BufferedReader(self._raw)
        self.rfile = self._reader

    def handle_one_request(self) -> None:
        self._raw.allow(self._limits.seconds)
        super().handle_one_request()

    def answer(self) -> None:
        """Reads one request, whatever its method, and answers it."""
        incoming = self._incoming(b"")
        try:
            incoming = self._incoming(self._body(self._front.body_limit(incoming)))
        except RequestError as error:
            self.close_connection = True
            self._send(self._front.refuse(incoming, error))
        else:
            self._send(self._front.answer(incoming))

    # The names are http.server's.
    do_GET = do_HEAD = do_POST = answer  # noqa: N815
    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What `http.server` itself refuses, as the JSON of every other error; `explain` is its longer form."""
        del explain
        self.close_connection = True
        self.command = getattr(self, "command", None) or "GET"
        self.request_version = "HTTP/1.1"
        said = (message or HTTPStatus(code).phrase).lower()
        incoming = Incoming(method="GET", target="/")
        self._send(self._front.refuse(incoming, RequestError(int(code), "http_invalid", said)))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is http.server's
        """The handler's own record says it better."""

    def _incoming(self, body: bytes) -> Incoming:
        return Incoming(
            method=self.command,
            target=self.path,
            headers=joined(self.headers.items()),
            body=body,
            protocol=self.request_version,
            peer=str(self.client_address[0]),
        )

    def _body(self, limit: int) -> bytes:
        if self.headers.get("transfer-encoding"):
            raise RequestError(411, "content_length_missing", "send the body with a Content-Length and not in chunks")
        declared = self.headers.get("content-length", "0").strip()
        if not (declared.isascii() and declared.isdigit() and len(declared) <= 12):
            raise RequestError(400, "content_length_invalid", "the Content-Length is no number of bytes")
        if int(declared) > limit:
            self._discard(min(int(declared), 4 * limit))
            raise too_large()
        body = self._reader.read(int(declared))
        if len(body) < int(declared):
            raise RequestError(400, "body_incomplete", "the body ended before its Content-Length")
        return body

    def _discard(self, size: int) -> None:
        """Reads what is being sent: a socket that is closed over unread bytes takes the response with it."""
        while size > 0:
            chunk = self._reader.read1(min(size, _CHUNK))
            if not chunk:
                return
            size -= len(chunk)

    def _send(self, response: dict[str, Any]) -> None:
        status, body = response["statusCode"], response["body"].encode("utf-8")
        self.connection.settimeout(self._limits.seconds)
        self.send_response(status)
        for name, value in response["headers"].items():
            self.send_header(name, value)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()
