"""Lambda's Runtime API on loopback: gives out events, and takes responses by its protocol to the letter.

What the documents of the API do not allow is an error here: a chunk or a trailer that is none, a response for another
invocation, a stream with another content type.
"""

from __future__ import annotations

import base64
import json
import queue
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

PREFIX = "/2018-06-01/runtime"
HTTP_RESPONSE = "application/vnd.awslambda.http-integration-response"
SECONDS = 20.0


@dataclass(slots=True, kw_only=True)
class Answered:
    """What an invocation came to. Of a stream: its `chunks` with the moments at which they came, and its `trailers`."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def streamed(self) -> tuple[Mapping[str, Any], str]:
        """The prelude of a stream, and its payload."""
        assert self.headers["lambda-runtime-function-response-mode"] == "streaming"
        assert self.headers["content-type"] == HTTP_RESPONSE
        prelude, nulls, payload = self.body.partition(b"\0" * 8)
        assert nulls
        assert not payload.startswith(b"\0")
        return json.loads(prelude), payload.decode()

    @property
    def error(self) -> Any:
        """What the trailers tell."""
        told = json.loads(base64.b64decode(self.trailers["lambda-runtime-function-error-body"]))
        return self.trailers["lambda-runtime-function-error-type"], told


class RuntimeApiPeer:
    """One function asks it at a time. `hangs_up_after` closes the connection after so many chunks of a stream."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.answered: queue.Queue[Answered] = queue.Queue()
        self.hangs_up_after: int | None = None
        self._events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        self._connections: list[socket.socket] = []
        self._number = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._events.put(None)
        for one in (self._listener, *self._connections):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def invoke(self, event: Any) -> Answered:
        """Give out `event`, and wait for what becomes of it."""
        self.begin(event)
        return self.answered.get(timeout=SECONDS)

    def begin(self, event: Any) -> None:
        self._number += 1
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        self._events.put((f"request-{self._number}", body))

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, suppress(ConnectionError, ValueError):
            given = ""
            while line := lines.readline():
                method, path, version = line.decode().split()
                assert version == "HTTP/1.1"
                headers = _headers(lines)
                if (method, path) == ("GET", f"{PREFIX}/invocation/next"):
                    found = self._events.get()
                    if found is None:
                        return
                    given = found[0]
                    self._give(connection, *found)
                    continue
                assert method == "POST"
                allowed = {f"{PREFIX}/invocation/{given}/{end}" for end in ("response", "error")}
                assert path in (allowed if given else {f"{PREFIX}/init/error"}), path
                answered = self._read(path, headers, lines)
                if answered is None:
                    return
                self.answered.put(answered)
                given = ""
                connection.sendall(
                    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n"
                )
                connection.sendall(b'{"status": "OK"}')

    def _give(self, connection: socket.socket, request_id: str, body: bytes) -> None:
        head = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + SECONDS) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:ap-northeast-1:123456789012:function:f",
            "Lambda-Runtime-Trace-Id": f"Root={request_id};Sampled=0",
            "Content-Length": str(len(body)),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        connection.sendall(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + body)

    def _read(self, path: str, headers: Mapping[str, str], lines: Any) -> Answered | None:
        """What was posted; `None` where it was hung up on."""
        if headers.get("transfer-encoding") != "chunked":
            return Answered(path=path, headers=headers, body=lines.read(int(headers["content-length"])))
        chunks: list[tuple[float, bytes]] = []
        while size := int(lines.readline().removesuffix(b"\r\n"), 16):
            chunks.append((time.monotonic(), lines.read(size)))
            assert lines.readline() == b"\r\n"
            if len(chunks) == self.hangs_up_after:
                return None
        trailers = _headers(lines)
        assert set(trailers) <= {name.strip().lower() for name in headers["trailer"].split(",")}
        body = b"".join(chunk for _, chunk in chunks)
        return Answered(path=path, headers=headers, body=body, chunks=chunks, trailers=trailers)


def _headers(lines: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    while (line := lines.readline()) != b"\r\n":
        name, _, value = line.decode().partition(":")
        found[name.lower()] = value.strip()
    return found
