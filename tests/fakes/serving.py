"""A server over a fake application, and raw clients of it."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

from engine.api.policy import Policy
from engine.api.service import make_service
from engine.app import App
from engine.aws.handler import make_handler
from engine.core.events import TurnStarted, ignore
from engine.web.access import Access
from engine.web.app import Hosted
from engine.web.playground import Playground
from engine.web.protocol import Limits
from engine.web.server import WebServer
from tests.fakes.bots import FakeBot


class SlowBot(FakeBot):
    """Answers the text `slow` once it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.go_on = threading.Semaphore(0), threading.Event()

    def reply(self, request, deadline=None, listen=ignore):
        if request.text == "slow":
            listen(TurnStarted(session_id="slow", number=1))
            self.inside.release()
            self.go_on.wait(30)
        return super().reply(request, deadline, listen)


class Serving:
    """A server over a fake application, and what a client on a raw socket says and hears."""

    def __init__(
        self, bot: FakeBot | App, limits: Limits | None, host: str, env: dict[str, str], *, playground: bool = False
    ) -> None:
        self.records: list = []
        self.playground = (
            Playground(bot, Policy.from_env(env), self.records.append, Path("bar.yml")) if playground else None
        )
        handler = make_handler(bot, env, log=lambda _: None)
        hosted = Hosted(
            service=make_service(bot, Policy.from_env(env), lambda _: None),
            invoke=lambda event, _id: handler(event, None),
            policy=Policy.from_env(env),
            access=Access.from_env(host, env),
            greeting="post to /chat\n",
            playground=self.playground,
        )
        self.server = WebServer((host, 0), hosted, limits)
        self.server.start()

    @property
    def address(self) -> tuple[str, int]:
        return self.server.address

    def connect(self, timeout: float = 30) -> socket.socket:
        return socket.create_connection(self.address, timeout=timeout)

    def open_connections(self) -> int:
        return len(self.server._server.server_state.connections)

    def raw(self, *requests: bytes) -> bytes:
        """Everything the server says until it closes."""
        with self.connect() as connection:
            for request in requests:
                connection.sendall(request)
            return heard(connection)

    def ask(self, request: bytes) -> tuple[int, dict]:
        return status_and_body(self.raw(request))


def heard(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def status_and_body(answer: bytes) -> tuple[int, dict]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body or b"{}")


def request(line: str, body: bytes = b"", **headers: str) -> bytes:
    """One request over HTTP/1.1, to localhost unless `host` says otherwise, after which the connection ends."""
    named = {"host": "localhost", "connection": "close", **headers}
    if body:
        named.setdefault("content_length", str(len(body)))
    lines = [f"{line} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chat(text: str = "hello", **headers: str) -> bytes:
    return request("POST /chat", json.dumps({"input": text}).encode(), **headers)
