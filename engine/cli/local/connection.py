"""One client's connection: the bytes that came, cut into requests, and the bytes that still have to leave.

Never blocks and knows no other connection; the server says when there is something to read or room to write.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from engine.api.body import too_large
from engine.api.errors import RequestError
from engine.cli.local.events import Incoming
from engine.cli.local.http import CONTINUE, HEAD_LIMIT, Head, head_too_large, read_head

_CHUNK = 64 * 1024
_END = b"\r\n\r\n"


class Connection:
    """`until` is when what it waits for must have happened; `busy` says that a request of it is being answered, `keep`
    that more may follow, `ended` that the client sends no more, `leaving` that the last response is sent. What comes in
    after that is thrown away: a socket that is closed over unread bytes takes the response with it.
    """

    __slots__ = (
        *("_buffer", "_head", "_out", "_scanned"),
        *("busy", "ended", "events", "keep", "leaving", "number", "peer", "socket", "until"),
    )

    def __init__(self, accepted: socket.socket, peer: str, until: float) -> None:
        self.socket, self.peer, self.until = accepted, peer, until
        self.number = accepted.fileno()
        self.events = 0
        self.busy = self.ended = self.leaving = False
        self.keep = True
        self._buffer, self._out = bytearray(), b""
        self._head: Head | None = None
        self._scanned = 0
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def unsent(self) -> bool:
        return bool(self._out)

    @property
    def full(self) -> bool:
        """Whether enough was read ahead of the request that is being answered."""
        return len(self._buffer) > HEAD_LIMIT

    def receive(self) -> None:
        """Reads what is there; raises `OSError` for a connection that is broken."""
        try:
            data = self.socket.recv(_CHUNK)
        except BlockingIOError:
            return
        self.ended = not data
        if not self.leaving:
            self._buffer += data

    def send(self, data: bytes) -> None:
        """Writes what there is room for and keeps the rest; raises `OSError` for a connection that is broken."""
        self._out = self._out + data if self._out else data
        try:
            self._out = self._out[self.socket.send(self._out) :]
        except BlockingIOError:
            return

    def leave(self) -> None:
        """Say that nothing more will be sent; raises `OSError`."""
        self.leaving = True
        self._buffer.clear()
        self.socket.shutdown(socket.SHUT_WR)

    def next_request(self, limit_of: Callable[[str], int]) -> tuple[Incoming, bool] | None:
        """The next whole request, and whether the connection may go on after it; `None` while it is not all there.

        `limit_of` tells how large the body for a target may be. Raises `RequestError`, after which nothing more can be
        read.
        """
        head = self._head or self._next_head(limit_of)
        if head is None:
            return None
        if len(self._buffer) < head.length:
            if self.ended:
                raise RequestError(400, "body_incomplete", "the body ended before its Content-Length")
            return None
        body = bytes(self._buffer[: head.length])
        del self._buffer[: head.length]
        self._head = None
        return self._incoming(head, body), head.keep

    def _next_head(self, limit_of: Callable[[str], int]) -> Head | None:
        while self._buffer.startswith(b"\r\n"):
            del self._buffer[:2]
        end = self._buffer.find(_END, self._scanned)
        if end < 0 or end > HEAD_LIMIT:
            if len(self._buffer) > HEAD_LIMIT:
                raise head_too_large(self._buffer)
            self._scanned = max(0, len(self._buffer) - len(_END) + 1)
            return None
        head = read_head(bytes(self._buffer[:end]))
        del self._buffer[: end + len(_END)]
        self._scanned = 0
        if head.length > limit_of(head.target):
            raise too_large()
        if head.waits and len(self._buffer) < head.length:
            self.send(CONTINUE)
        self._head = head
        return head

    def _incoming(self, head: Head, body: bytes) -> Incoming:
        return Incoming(
            method=head.method,
            target=head.target,
            headers=head.headers,
            body=body,
            protocol=head.protocol,
            peer=self.peer,
        )
