"""The listening socket and its connections, served by one thread at a time; see `crew` for which.

Nothing here blocks but the wait for sockets. A request that there is no room for is turned away as soon as it is read,
and so are those that have waited too long for a thread.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from engine.api.errors import RequestError
from engine.cli.local.connection import Connection
from engine.cli.local.crew import Crew
from engine.cli.local.events import Incoming
from engine.cli.local.front import Front, Response
from engine.cli.local.http import rendered
from engine.cli.local.waiting import Bounds, Waiting

_LINGER = 2.0
"""Seconds in which a client may take its last response."""

_TICK = 0.1
_SOON = 0.005
_BACKLOG = 128
_TURNS_A_LOOK = 4
"""Turns that are answered between two looks at the sockets: with one, a flood leaves time for few."""
_ALARMS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`connections` may be open at once; a request must arrive, and a response leave, within `seconds`; `turns` may be
    answered at once.
    """

    connections: int = 256
    seconds: float = 15.0
    turns: int = 32
    waiting: Bounds = field(default_factory=Bounds)


@dataclass(frozen=True, slots=True)
class _Asked:
    connection: Connection
    incoming: Incoming
    keep: bool


class LocalServer:
    """Listens on `address`, an IPv4 or IPv6 host and a port (0 takes a free one), as soon as it is made; serves from
    `start` to `stop`.
    """

    def __init__(self, address: tuple[str, int], front: Front, limits: Limits | None = None) -> None:
        """Raises `OSError` where the address cannot be had."""
        self._front, self._limits = front, limits or Limits()
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.create_server(address, family=family, backlog=_BACKLOG)
        self._listener.setblocking(False)
        self._alarm, self._wake = socket.socketpair()
        self._alarm.setblocking(False)
        self._wake.setblocking(False)
        self._selector = selectors.DefaultSelector()
        for one in (self._listener, self._alarm):
            self._selector.register(one, selectors.EVENT_READ)
        self._connections: dict[int, Connection] = {}
        self._waiting: Waiting[_Asked] = Waiting(self._limits.waiting)
        self._late: deque[tuple[_Asked, Response]] = deque()
        self._sweep_at = 0.0
        self._closing = False
        self._idle = threading.Event()
        self._crew: Crew[Response] = Crew(self._serve, size=self._limits.turns + 1)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._listener.getsockname()[:2]
        return str(host), int(port)

    @property
    def url(self) -> str:
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        self._crew.start()

    def stop(self, seconds: float) -> None:
        """Let nothing more in, wait at most `seconds` for what is being answered, and close every socket."""
        self._closing = True
        self._ring()
        self._idle.wait(seconds)
        self._crew.stop()
        self._ring()
        self._crew.join(_TICK)
        for connection in list(self._connections.values()):
            self._close(connection)
        self._selector.close()
        for one in (self._listener, self._alarm, self._wake):
            one.close()

    # The leader's part

    def _serve(self, term: int) -> None:
        while self._crew.leads(term):
            for key, _ in self._selector.select(self._pause()):
                self._happened(key.fileobj)
            while self._late:
                self._deliver(*self._late.popleft())
            for asked in self._waiting.overdue(time.monotonic(), moving=self._crew.spare):
                self._deliver(asked, self._front.turn_away(asked.incoming))
            for _ in range(_TURNS_A_LOOK):
                if not (self._waiting and self._crew.spare and self._crew.leads(term)):
                    break
                self._answer(self._waiting.next(), term)
            self._sweep()

    def _pause(self) -> float | None:
        """How long to wait for sockets: not at all while there is something to answer and someone to do it."""
        if self._waiting:
            return 0.0 if self._crew.spare else _SOON
        return _TICK if self._connections or self._closing else None

    def _happened(self, fileobj: object) -> None:
        if fileobj is self._listener:
            self._accept()
        elif fileobj is self._alarm:
            self._alarm.recv(_ALARMS)
        elif isinstance(fileobj, socket.socket) and (connection := self._connections.get(fileobj.fileno())):
            with self._closing_when_broken(connection):
                if connection.unsent:
                    connection.send(b"")
                else:
                    connection.receive()
                self._advance(connection)

    def _accept(self) -> None:
        for _ in range(_BACKLOG):
            try:
                accepted, peer = self._listener.accept()
            except OSError:
                return
            if self._closing or len(self._connections) >= self._limits.connections:
                accepted.close()
                continue
            connection = Connection(accepted, str(peer[0]), time.monotonic() + self._limits.seconds)
            self._connections[connection.number] = connection
            self._listen(connection, selectors.EVENT_READ)

    def _advance(self, connection: Connection) -> None:
        """Take the next request of `connection` where it is whole; else wait for what is missing."""
        while connection.keep and not (connection.busy or connection.unsent):
            try:
                found = connection.next_request(self._front.body_limit)
            except RequestError as error:
                refused = Incoming(method="GET", target="/", peer=connection.peer)
                self._give(_Asked(connection, refused, keep=False), self._front.refuse(refused, error))
                break
            if found is None:
                break
            incoming, keep = found
            asked = _Asked(connection, incoming, keep=keep and not self._closing)
            connection.busy = True
            if self._closing or not self._waiting.admit(asked, time.monotonic()):
                self._give(asked, self._front.turn_away(incoming))
        self._wait_for_more(connection)

    def _wait_for_more(self, connection: Connection) -> None:
        if connection.unsent:
            self._listen(connection, selectors.EVENT_WRITE)
        elif connection.busy:
            self._listen(connection, 0 if connection.ended or connection.full else selectors.EVENT_READ)
        elif connection.ended:
            self._close(connection)
        else:
            if not connection.keep and not connection.leaving:
                connection.leave()
                connection.until = time.monotonic() + _LINGER
            self._listen(connection, selectors.EVENT_READ)

    def _answer(self, asked: _Asked, term: int) -> None:
        response = self._crew.work(term, lambda: self._front.answer(asked.incoming), partial(self._answer_late, asked))
        if response is not None:
            self._deliver(asked, response)

    def _answer_late(self, asked: _Asked, response: Response) -> None:
        """Called by a thread that no longer leads: sockets are the leader's."""
        self._late.append((asked, response))
        self._ring()

    def _deliver(self, asked: _Asked, response: Response) -> None:
        with self._closing_when_broken(asked.connection):
            self._give(asked, response)
            self._advance(asked.connection)

    def _give(self, asked: _Asked, response: Response) -> None:
        """Send `response`; raises `OSError` for a connection that is broken."""
        connection = asked.connection
        connection.busy, connection.keep = False, asked.keep
        connection.until = time.monotonic() + self._limits.seconds
        connection.send(rendered(response, method=asked.incoming.method, keep=asked.keep))

    def _listen(self, connection: Connection, events: int) -> None:
        if events == connection.events:
            return
        if not connection.events:
            self._selector.register(connection.socket, events)
        elif events:
            self._selector.modify(connection.socket, events)
        else:
            self._selector.unregister(connection.socket)
        connection.events = events

    @contextlib.contextmanager
    def _closing_when_broken(self, connection: Connection) -> Iterator[None]:
        """A client that went away in the middle is no news."""
        try:
            yield
        except OSError:
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        if self._connections.pop(connection.number, None) is not None:
            self._listen(connection, 0)
            connection.socket.close()

    def _sweep(self) -> None:
        """Now and then, close what has waited too long."""
        now = time.monotonic()
        if now < self._sweep_at and not self._closing:
            return
        self._sweep_at = now + _TICK
        for connection in list(self._connections.values()):
            if not connection.busy and now > connection.until:
                self._close(connection)
        if self._closing and not any(one.busy or one.unsent for one in self._connections.values()):
            self._idle.set()

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake.send(b"!")
