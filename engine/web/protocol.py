"""Speaks HTTP/1.1 over one connection: uvicorn's protocol with limits of time and number, and answers in JSON.

uvicorn waits for a request's head as long as its client likes. Here a head has a number of seconds to arrive, a
response to leave. What could be read in two ways is refused, and a refusal arrives even where the client still sends.
"""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections import deque
from collections.abc import Callable

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol, RequestResponseCycle

from engine.api.errors import RequestError
from engine.api.response import error_payload, to_json
from engine.core.record import record

HEAD_LIMIT = 64 * 1024
"""Bytes of a request's head."""
LINGER = 2.0
"""Seconds in which a client may take its last response."""

_AMBIGUOUS = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\r\n[ \t]")
"""Bare line ends, and headers that go on in the next line."""

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_BEGINNING = re.compile(rb"(?:\r?\Z|\r\n|" + _TOKEN + rb"+(?:\Z|[ \r]))")
_REQUEST_LINE = re.compile(_TOKEN + rb"+ [!-~]+ HTTP/[0-9]\.[0-9]")
_QUOTED = re.compile(r":? ?bytearray\(.*", re.DOTALL)


@record
class Limits:
    """`connections` may be open at once; a head must arrive, and a response leave, within `seconds`. At most `turns`
    run at once, and `waiting` more may wait; `ahead` requests that were sent before the answer to an earlier one are
    handled at once.
    """

    connections: int = 256
    seconds: float = 15.0
    turns: int = 32
    waiting: int = 64
    ahead: int = 4


class Lane:
    """Lets a few of the requests go on that clients have sent ahead of an answer; the others wait in turn.

    Without it, clients that send many requests at once would be served as often as all others together.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[Callable[[], None]] = deque()

    def enter(self, go_on: Callable[[], None]) -> None:
        """Call `go_on` when there is room; `leave` is due then."""
        if self._free:
            self._free -= 1
            go_on()
        else:
            self._waiting.append(go_on)

    def leave(self) -> None:
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._waiting.popleft())
        else:
            self._free += 1


class ServerConfig(Config):
    """uvicorn's settings with the limits of a connection."""

    limits: Limits
    sent_ahead: Lane


class HttpProtocol(H11Protocol):
    """One client's connection."""

    config: ServerConfig
    _timer: asyncio.TimerHandle | None = None
    _leaving = _completing = _held = _in_lane = False
    waiting_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        # Head and body leave apart; the body would wait for the client's word that the head has come.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self.connections) > self.config.limits.connections:
            self._make_room()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        self._leave_lane()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._leaving:
            return
        super().data_received(data)
        self._watch()

    def eof_received(self) -> bool | None:  # type: ignore[override] # as asyncio has it
        """A client that only stops sending still gets the answer to what it has sent. One that stops in the middle of a
        stream has left: nothing tells the two apart before something is written twice.
        """
        if self._leaving or self._waits_for_a_request() or self.cycle.more_body or self.cycle.response_started:
            return None
        self.cycle.keep_alive = False
        return True

    def handle_events(self) -> None:
        """Called when something came, and after each response for what the client has sent ahead."""
        if self._held:
            return
        if self._completing and self.conn.trailing_data[0]:
            self._held = True
            self.flow.pause_reading()
            # Not from within uvicorn's own handling of the response.
            self.loop.call_soon(self.config.sent_ahead.enter, self._go_on)
        elif self.conn.their_state is h11.IDLE and (problem := _problem(self.conn.trailing_data[0])):
            self._refuse(problem)
        else:
            super().handle_events()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn while it handles what h11 found wrong."""
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.ProtocolError) else 400
        # h11 quotes what it has read.
        self._refuse(RequestError(status, "http_invalid", _QUOTED.sub("", str(error or msg)).lower()))

    def on_response_complete(self) -> None:
        self._leave_lane()
        self._completing = True
        super().on_response_complete()
        self._completing = False
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._leave_lane()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self._leaving:
            self._unwatch()
            self._watch()

    def shutdown(self) -> None:
        if self._leaving:
            self.transport.abort()
        else:
            super().shutdown()

    def _go_on(self) -> None:
        """Handle a request that was sent ahead."""
        self._held, self._in_lane = False, True
        if not self.transport.is_closing():
            self.flow.resume_reading()
            self.handle_events()
            self._watch()
        if self.transport.is_closing() or self._waits_for_a_request():
            self._leave_lane()

    def _leave_lane(self) -> None:
        if self._in_lane:
            self._in_lane = False
            self.config.sent_ahead.leave()

    def _refuse(self, error: RequestError) -> None:
        """Send the response, say that nothing follows, and throw away what still comes: a socket that is closed over
        unread bytes takes the response with it.
        """
        body = to_json(error_payload(error)).encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            response = h11.Response(status_code=error.status, headers=headers, reason=STATUS_PHRASES[error.status])
            for event in (response, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self._leaving = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._unwatch()
        self._timer = self.loop.call_later(LINGER, self.transport.abort)

    def _watch(self) -> None:
        """Give the client its seconds for the next head, or for taking what has been written."""
        if not (self._waits_for_a_request() or self.flow.write_paused or self.transport.is_closing()):
            self._unwatch()
        elif self._timer is None:
            self.waiting_since = self.loop.time()
            self._timer = self.loop.call_later(self.config.limits.seconds, self.transport.abort)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _waits_for_a_request(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return not self._held and (cycle is None or cycle.response_complete)

    def _make_room(self) -> None:
        """Close the connection that has waited for its client the longest: this one, where no other does."""
        waiting = [
            one for one in self.connections if isinstance(one, HttpProtocol) and one.is_waiting and one is not self
        ]
        min(waiting, key=lambda one: one.waiting_since, default=self).transport.abort()

    @property
    def is_waiting(self) -> bool:
        """Whether its client keeps it waiting: for a request or the end of one, by taking no response, or by sending
        ahead.
        """
        return self._waits_for_a_request() or self._held or self.flow.write_paused or self.cycle.more_body


def _problem(received: bytes) -> RequestError | None:
    """What is wrong with the head at the beginning of `received`, as far as it has arrived."""
    if received.startswith(b"\x16\x03"):
        return RequestError(400, "http_invalid", "this server speaks HTTP and not HTTPS: call it with http://")
    head = received.partition(b"\r\n\r\n")[0]
    if len(head) > HEAD_LIMIT:
        return RequestError(431, "http_invalid", f"the head is longer than {HEAD_LIMIT // 1024} KB")
    if _AMBIGUOUS.search(head):
        return RequestError(400, "http_invalid", "a line of the head does not end in CR LF, or goes on in the next one")
    line, ended, _ = head.partition(b"\r\n")
    # Whoever speaks something else may wait for an answer before it sends a whole head.
    if not _BEGINNING.match(received) or (line and (ended or line != received) and not _REQUEST_LINE.fullmatch(line)):
        return RequestError(400, "http_invalid", "the first line is no request line of HTTP")
    return None
