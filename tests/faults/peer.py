"""A scriptable peer on 127.0.0.1: it speaks HTTP as badly as it is told to.

A behaviour is a function of one connection. It reads the request, then sends what it likes, byte by byte if it likes;
its waits end when the peer is closed, so nothing outlives a test. Knows nothing of providers.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Self

_SERVING = "fault-peer-connection"
_HEADER_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as it came in; header names are lower case."""

    line: str
    headers: dict[str, str]
    body: bytes


class Connection:
    """One accepted connection; sending to a client that has left is not an error."""

    def __init__(self, raw: socket.socket, closing: threading.Event, received: list[Received]) -> None:
        self._raw = raw
        self._closing = closing
        self._received = received

    def read_request(self) -> Received:
        data = b""
        while _HEADER_END not in data:
            data += self._more()
        head, _, body = data.partition(_HEADER_END)
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (entry.partition(":") for entry in lines)}
        while len(body) < int(headers.get("content-length", "0")):
            body += self._more()
        request = Received(line=line, headers=headers, body=body)
        self._received.append(request)
        return request

    def send(self, data: bytes) -> None:
        self._raw.sendall(data)

    def drip(self, data: bytes, seconds: float) -> None:
        """Send one byte every `seconds`."""
        for position in range(len(data)):
            self.send(data[position : position + 1])
            if self._closing.wait(seconds):
                return

    def hold(self) -> None:
        """Keep the connection open and silent until the client or the peer leaves."""
        while not self._closing.is_set():
            self._more()

    def linger(self, seconds: float) -> None:
        """Say nothing for `seconds`; raises `ConnectionError` as soon as the client or the peer leaves."""
        poll = select.poll()
        poll.register(self._raw, select.POLLIN)
        if poll.poll(seconds * 1000):
            self._more()

    def reset(self) -> None:
        """Close with a TCP reset instead of an orderly end."""
        self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._raw.close()

    def _more(self) -> bytes:
        data = self._raw.recv(65_536)
        if not data:
            raise ConnectionError
        return data


class Unsteady(Connection):
    """Another connection, over which everything comes a moment later and in pieces, as chance will have it."""

    def __init__(self, steady: Connection, chance: Random) -> None:
        super().__init__(steady._raw, steady._closing, steady._received)
        self._chance = chance

    def read_request(self) -> Received:
        request = super().read_request()
        self._closing.wait(self._chance.uniform(0.0, 0.05))
        return request

    def send(self, data: bytes) -> None:
        cut = self._chance.randrange(len(data) + 1)
        super().send(data[:cut])
        super().send(data[cut:])


Behaviour = Callable[[Connection], None]


@dataclass(slots=True)
class Peer:
    """Plays `script`, one behaviour per connection; the last one is for all that follow."""

    script: Sequence[Behaviour]
    tls: ssl.SSLContext | None = None
    received: list[Received] = field(default_factory=list)
    port: int = field(init=False)
    _accepted: int = field(init=False, default=0)
    _listener: socket.socket = field(init=False)
    _closing: threading.Event = field(init=False, default_factory=threading.Event)
    _threads: list[threading.Thread] = field(init=False, default_factory=list)
    _connections: list[socket.socket] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def accepted(self) -> int:
        """Connections so far, whether or not they sent a request."""
        return self._accepted

    def __enter__(self) -> Self:
        self._spawn("fault-peer", self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        _shut(self._listener)
        for connection in tuple(self._connections):
            _shut(connection)
        for thread in tuple(self._threads):
            thread.join()

    def play(self, behaviour: Behaviour) -> None:
        """From now on behave so, with nothing received yet."""
        self.script = [behaviour]
        self.received.clear()

    def settle(self) -> None:
        """Wait until every connection so far has ended, as they do when their clients leave."""
        while serving := [thread for thread in self._threads if thread.name == _SERVING and thread.is_alive()]:
            serving[0].join()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._closing.is_set():
                raw, _ = self._listener.accept()
                behaviour = self.script[min(self._accepted, len(self.script) - 1)]
                self._accepted += 1
                self._connections.append(raw)
                self._spawn(_SERVING, self._serve, raw, behaviour)

    def _serve(self, raw: socket.socket, behaviour: Behaviour) -> None:
        with raw, suppress(OSError):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls is None:
                behaviour(Connection(raw, self._closing, self.received))
                return
            with self.tls.wrap_socket(raw, server_side=True) as secured:
                self._connections.append(secured)
                behaviour(Connection(secured, self._closing, self.received))

    def _spawn(self, name: str, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def black_hole() -> Iterator[str]:
    """The URL of a port that never completes a connection: its queue is full and nobody accepts."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for filler in fillers:
                filler.close()


@contextmanager
def refusing() -> Iterator[str]:
    """The URL of a port that nobody listens on: bound, so that nobody else takes it meanwhile."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{reserved.getsockname()[1]}"
