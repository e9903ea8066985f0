"""A connection that is open by a deadline, TLS and the look-up of the name included, or not at all.

Each wait gets only what the deadline leaves, and ends soon when nobody waits any more. Knows nothing of what will be
said over the connection.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar
from urllib.parse import SplitResult

from engine.concurrency import Helpers
from engine.core.deadline import Deadline
from engine.core.errors import BadRequest, Unavailable

Address = tuple[int, int, int, str, tuple[str | int, ...] | tuple[int, bytes]]
Resolver = Callable[[str, int], Sequence[Address]]
T = TypeVar("T")

_LOOKUPS = Helpers(limit=8)
_LEAST = 0.001
"""Seconds of a wait that began in time: none at all would mean not to wait for the socket."""


def lookup(host: str, port: int) -> Sequence[Address]:
    """The system's resolver, which nothing can interrupt."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def connect(url: SplitResult, deadline: Deadline, backend: str, resolve: Resolver) -> socket.socket:
    """Raises `TimeoutError` at the deadline, `OSError`, `Unavailable` for a name that does not resolve, `BadRequest`
    for one that is none.
    """
    host = url.hostname or ""
    port = url.port or (443 if url.scheme == "https" else 80)
    connection = _open(_addresses(host, port, deadline, backend, resolve), deadline)
    if url.scheme == "https":
        connection = _secure(connection, host, deadline)
    return connection


def _addresses(host: str, port: int, deadline: Deadline, backend: str, resolve: Resolver) -> Sequence[Address]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    except UnicodeError:
        raise BadRequest(f"the base URL of {backend} names no valid host", backend=backend) from None
    try:
        return _LOOKUPS.call(lambda: resolve(host, port), deadline, "misaki-lookup")
    except socket.gaierror:
        raise Unavailable(f"the name {host} does not resolve", backend=backend, retryable=True) from None


def _open(addresses: Sequence[Address], deadline: Deadline) -> socket.socket:
    """Connect to the first address that answers; each gets an equal share of what is left."""
    failure: OSError = OSError("the name has no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        connection = socket.socket(family, kind, protocol)
        try:
            _reach(connection, address, deadline.within(left(deadline) / (len(addresses) - position)))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _reach(connection: socket.socket, address: tuple[str | int, ...] | tuple[int, bytes], until: Deadline) -> None:
    connection.setblocking(False)
    failed = connection.connect_ex(address)
    if failed == errno.EINPROGRESS:
        writable = select.poll()
        writable.register(connection, select.POLLOUT)
        while not writable.poll(until.patience() * 1000):
            left(until)
        failed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if failed:
        raise OSError(failed, os.strerror(failed))


def _secure(connection: socket.socket, host: str, deadline: Deadline) -> socket.socket:
    secured = trust().wrap_socket(connection, server_hostname=host, do_handshake_on_connect=False)
    try:
        wait(secured, deadline, secured.do_handshake)
    except BaseException:
        secured.close()
        raise
    return secured


def wait(connection: socket.socket, deadline: Deadline, act: Callable[[], T]) -> T:
    """What `act` does with `connection`, as soon as it can; raises `TimeoutError` at the deadline."""
    while True:
        left(deadline)
        connection.settimeout(deadline.patience() or _LEAST)
        try:
            return act()
        except TimeoutError:
            if deadline.gone is None:
                raise


def left(deadline: Deadline) -> float:
    """Seconds for the next wait; raises `TimeoutError` where there are none."""
    remaining = deadline.remaining()
    if remaining <= 0.0:
        raise TimeoutError
    return remaining


@cache
def trust() -> ssl.SSLContext:
    """The system's certificates, read once: that takes some 20 ms."""
    return ssl.create_default_context()
