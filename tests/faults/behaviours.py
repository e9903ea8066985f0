"""What a peer can do to a client: each function makes a behaviour for `Peer`."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Mapping
from random import Random

from tests.faults.peer import Behaviour, Connection, Unsteady

_DRIP = 0.01


def respond(
    body: bytes,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
    length: int | None = None,
) -> Behaviour:
    """A whole response; `length` says another length than the body has."""
    data = (
        head(status, {"Content-Type": content_type, **(headers or {})}, len(body) if length is None else length) + body
    )

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(data)

    return behave


def head(status: int, headers: Mapping[str, str], length: int | None) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def held_until(go: threading.Event, behaviour: Behaviour) -> Behaviour:
    """`behaviour`, but not before `go` is set."""

    def behave(connection: Connection) -> None:
        go.wait()
        behaviour(connection)

    return behave


def slowly(body: bytes, seconds: float) -> Behaviour:
    """A whole response after `seconds`, unless the client has left by then."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.linger(seconds)
        connection.send(head(200, {"Content-Type": "application/json"}, len(body)) + body)

    return behave


def unsteady(behaviour: Behaviour, chance: Random) -> Behaviour:
    """`behaviour` over a network with moods."""
    return lambda connection: behaviour(Unsteady(connection, chance))


def silence(connection: Connection) -> None:
    """Read the request and say nothing."""
    connection.read_request()
    connection.hold()


def close_early(connection: Connection) -> None:
    connection.read_request()


def reset_early(connection: Connection) -> None:
    connection.read_request()
    connection.reset()


def drip_headers(connection: Connection) -> None:
    connection.read_request()
    connection.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 10_000, _DRIP)


def drip_body(connection: Connection) -> None:
    connection.read_request()
    connection.send(head(200, {"Content-Type": "application/json"}, 10_000))
    connection.drip(b" " * 10_000, _DRIP)


def drip_chunks(connection: Connection) -> None:
    connection.read_request()
    connection.send(head(200, {"Transfer-Encoding": "chunked"}, None))
    connection.drip(b"1\r\n \r\n" * 10_000, _DRIP)


def endless_body(connection: Connection) -> None:
    connection.read_request()
    connection.send(head(200, {"Content-Type": "application/json"}, None))
    while True:
        connection.send(b" " * 65_536)


def endless_chunk(connection: Connection) -> None:
    """A chunk of a negative size, which some clients read to the end of the stream."""
    connection.read_request()
    connection.send(head(200, {"Transfer-Encoding": "chunked"}, None) + b"-1\r\n")
    while True:
        connection.send(b" " * 65_536)


def endless_headers(connection: Connection) -> None:
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.send(b"X-More: yes\r\n" * 1_000)


def not_http(connection: Connection) -> None:
    connection.read_request()
    connection.send(b"SSH-2.0-OpenSSH_9.6\r\n")


def reset_midway(body: bytes) -> Behaviour:
    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(head(200, {"Content-Type": "application/json"}, len(body)) + body[: len(body) // 2])
        connection.reset()

    return behave


def truncate(body: bytes) -> Behaviour:
    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(head(200, {"Content-Type": "application/json"}, len(body)) + body[: len(body) // 2])

    return behave


def truncate_chunks(body: bytes) -> Behaviour:
    """A whole answer in one chunk, without the last chunk that says so."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(
            head(200, {"Transfer-Encoding": "chunked"}, None) + f"{len(body):x}\r\n".encode() + body + b"\r\n"
        )

    return behave


def gzip_bomb() -> Behaviour:
    """20 KB that become 20 MB."""
    return respond(gzip.compress(bytes(20_000_000), 9), headers={"Content-Encoding": "gzip"})
