"""An exchange that nobody wants any more ends at once, wherever it stands, and leaves nothing open."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from engine.backends.connecting import Address, Resolver, lookup
from engine.backends.transport import HttpRequest, exchange
from engine.model.cancellation import Cancellation
from engine.model.deadline import Deadline
from engine.model.errors import TimedOut
from tests.faults import behaviours
from tests.faults.peer import Behaviour, Connection, Peer, black_hole

AMPLE = 20.0
SHORT = 0.15


def ask(url: str, deadline: Deadline, *, resolve: Resolver = lookup) -> None:
    exchange(HttpRequest(method="POST", url=url, headers=[], body=b"{}"), deadline, "b", resolve=resolve)


def called_off(url: str, when: threading.Event, *, resolve: Resolver = lookup) -> None:
    """Ask with ample time, and call it off as soon as `when` is set."""
    cancellation = Cancellation()
    deadline = Deadline.after(AMPLE).unless(cancellation)

    def cancel() -> None:
        when.wait()
        cancellation.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(TimedOut):
        ask(url, deadline, resolve=resolve)
    thread.join()
    assert time.monotonic() < deadline.at


def telling(when: threading.Event, behaviour: Behaviour) -> Behaviour:
    """`behaviour`, which says so when it begins."""

    def behave(connection: Connection) -> None:
        when.set()
        behaviour(connection)

    return behave


def mute(connection: Connection) -> None:
    """Read nothing, say nothing, until the client leaves or the peer closes."""
    connection.hold()


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("behaviour", [mute, behaviours.silence, behaviours.drip_headers, behaviours.drip_body])
def test_while_it_waits_for_the_peer(behaviour: Behaviour) -> None:
    when = threading.Event()
    with Peer([telling(when, behaviour)]) as peer:
        before = descriptors()
        called_off(peer.url, when)
        peer.settle()
        assert descriptors() == before


def test_during_the_handshake() -> None:
    when = threading.Event()
    with Peer([telling(when, mute)]) as peer:
        before = descriptors()
        called_off(peer.url.replace("http:", "https:"), when)
        peer.settle()
        assert descriptors() == before


def test_behind_the_handshake(secure: ssl.SSLContext) -> None:
    when = threading.Event()
    with Peer([telling(when, behaviours.drip_body)], tls=secure) as peer:
        before = descriptors()
        called_off(peer.url, when)
        peer.settle()
        assert descriptors() == before


def test_before_the_connection_opens() -> None:
    when = threading.Event()
    with black_hole() as url:
        before = descriptors()
        timer = threading.Timer(SHORT, when.set)
        timer.start()
        called_off(url, when)
        assert descriptors() == before


def test_during_the_lookup() -> None:
    when, release = threading.Event(), threading.Event()

    def resolve(_host: str, _port: int) -> Sequence[Address]:
        when.set()
        release.wait()
        # Looking up in earnest, it would have a socket of its own while other tests count theirs.
        return ()

    called_off("http://name.invalid", when, resolve=resolve)
    release.set()


def test_before_it_began() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with Peer([behaviours.silence]) as peer:
        with pytest.raises(TimedOut):
            ask(peer.url, Deadline.after(AMPLE).unless(cancellation))
        assert peer.accepted == 0


def test_a_request_that_the_peer_sips_ends_at_the_deadline(secure: ssl.SSLContext) -> None:
    """Over TLS each record is sent on its own, and may not wait as long again."""

    size = 30_000_000

    def sip(connection: Connection) -> None:
        read = 0
        while read < size and not connection._closing.wait(0.02):
            read += len(connection._more())
        connection.send(behaviours.head(200, {}, 2) + b"{}")

    request = HttpRequest(method="POST", url="", headers=[], body=bytes(size))
    with Peer([sip], tls=secure) as peer, pytest.raises(TimedOut):
        exchange(replace(request, url=peer.url), Deadline.after(SHORT), "b")
