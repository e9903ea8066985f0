"""The exchange itself: names, certificates, encodings and limits. What peers do to it stands in test_faults."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from engine.core.deadline import Deadline
from engine.core.errors import BackendError, BadRequest, Malformed, TimedOut, Unavailable
from engine.models.http.connecting import Address, lookup
from engine.models.http.transport import HttpRequest, HttpResponse, exchange
from tests.faults import behaviours
from tests.faults.peer import Behaviour, Connection, Peer

AMPLE = 20.0


def request(url: str, body: bytes = b"{}", **headers: str) -> HttpRequest:
    return HttpRequest(method="POST", url=url, headers=list(headers.items()), body=body)


def ask(url: str, *, seconds: float = AMPLE, limit: int = 1000) -> HttpResponse:
    return exchange(request(url), Deadline.after(seconds), "b", limit=limit)


def answer_of(behaviour: Behaviour, *, limit: int = 1000) -> HttpResponse:
    with Peer([behaviour]) as peer:
        return ask(peer.url, limit=limit)


def failure_of(behaviour: Behaviour, *, limit: int = 1000) -> BackendError:
    with Peer([behaviour]) as peer, pytest.raises(BackendError) as caught:
        ask(peer.url, limit=limit)
    return caught.value


def test_what_is_sent() -> None:
    with Peer([behaviours.respond(b"ok")]) as peer:
        sent = HttpRequest(
            method="POST",
            url=f"{peer.url}/v1/chat?a=b",
            headers=[("Authorization", "Bearer k"), ("Accept-Encoding", "gzip"), ("Host", "elsewhere")],
            body="こんばんは".encode(),
        )
        exchange(sent, Deadline.after(AMPLE), "b")
    (received,) = peer.received
    assert received.line == "POST /v1/chat?a=b HTTP/1.1"
    assert received.body.decode() == "こんばんは"
    assert received.headers == {
        "host": f"127.0.0.1:{peer.port}",
        "connection": "close",
        "accept-encoding": "identity",
        "content-length": "15",
        "authorization": "Bearer k",
    }


def test_what_comes_back() -> None:
    answer = answer_of(behaviours.respond(b"teapot", status=418, headers={"X-Pot": "Yes"}))
    assert (answer.status, answer.headers["x-pot"], answer.body) == (418, "Yes", b"teapot")


def test_a_body_may_come_in_chunks_or_end_with_the_connection() -> None:
    def chunked(connection: Connection) -> None:
        connection.read_request()
        connection.send(
            behaviours.head(200, {"Transfer-Encoding": "chunked"}, None) + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
        )

    def unframed(connection: Connection) -> None:
        connection.read_request()
        connection.send(behaviours.head(200, {}, None) + b"hello")

    assert answer_of(chunked).body == b"hello"
    assert answer_of(unframed).body == b"hello"


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 103\r\n\r\n",
        b"HTTP/1.1 104 Upload Resumption Supported\r\n\r\n",
        b"HTTP/1.1 199 x\r\nX: y\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 3,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 200,
    ],
)
def test_interim_answers_are_read_over(interim: bytes) -> None:
    def hesitate(connection: Connection) -> None:
        connection.read_request()
        connection.send(interim + behaviours.head(200, {"X-Last": "yes"}, 5) + b"hello")

    answer = answer_of(hesitate)
    assert (answer.status, answer.headers, answer.body) == (200, answer.headers | {"x-last": "yes"}, b"hello")


def test_interim_answers_without_end_are_malformed() -> None:
    def hesitate(connection: Connection) -> None:
        connection.read_request()
        while True:
            connection.send(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)

    assert type(failure_of(hesitate)) is Malformed


def test_a_body_may_be_as_large_as_the_limit() -> None:
    assert len(answer_of(behaviours.respond(bytes(1000))).body) == 1000
    assert type(failure_of(behaviours.respond(bytes(1001)))) is Malformed


def test_a_compressed_body_is_read_within_the_limit() -> None:
    squeezed = {"gzip": gzip.compress(b"hello"), "deflate": zlib.compress(b"hello")}
    for encoding, body in squeezed.items():
        assert answer_of(behaviours.respond(body, headers={"Content-Encoding": encoding})).body == b"hello"
    large = gzip.compress(bytes(1001))
    assert type(failure_of(behaviours.respond(large, headers={"Content-Encoding": "gzip"}))) is Malformed


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", b"not gzip"), ("gzip", gzip.compress(b"hello" * 50)[:-12]), ("br", b"x"), ("deflate", b"\xff")],
)
def test_a_wrongly_compressed_body_is_malformed(encoding: str, body: bytes) -> None:
    assert type(failure_of(behaviours.respond(body, headers={"Content-Encoding": encoding}))) is Malformed


def test_a_refusal_before_the_request_was_read_is_heard() -> None:
    def refuse(connection: Connection) -> None:
        connection.send(behaviours.head(413, {}, 0))

    with Peer([refuse]) as peer:
        answer = exchange(request(peer.url, body=bytes(20_000_000)), Deadline.after(AMPLE), "b")
    assert answer.status == 413


def test_the_status_of_an_error_counts_without_its_body() -> None:
    assert answer_of(behaviours.respond(b"gone", status=401, length=400)).status == 401
    assert answer_of(behaviours.respond(bytes(70_000), status=403)).body == b""
    assert answer_of(behaviours.respond(b"x", status=503, headers={"Content-Encoding": "gzip"})).status == 503


def test_the_slow_body_of_an_error_is_not_waited_for() -> None:
    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(behaviours.head(503, {}, 10))
        connection.hold()

    assert answer_of(behave).status == 503


@pytest.mark.parametrize(
    "url", ["", "ftp://h/", "http://", "127.0.0.1:1", "http://h:99999/", "http://h:0/", "http://[::1", "http://.../"]
)
def test_a_url_that_cannot_be_asked(url: str) -> None:
    with pytest.raises(BadRequest):
        ask(url)


@pytest.mark.parametrize("value", ["two\r\nlines", "\u2603"])
def test_a_header_that_cannot_be_sent_does_not_show(value: str) -> None:
    with Peer([behaviours.silence]) as peer, pytest.raises(BadRequest) as caught:
        exchange(request(peer.url, Authorization=f"Bearer secret{value}"), Deadline.after(AMPLE), "b")
    assert "secret" not in str(caught.value)


def test_no_time_left_makes_no_request() -> None:
    with Peer([behaviours.respond(b"")]) as peer, pytest.raises(TimedOut):
        ask(peer.url, seconds=0.0)
    assert peer.received == []


def test_a_host_may_be_an_address_of_version_6() -> None:
    with Peer([behaviours.respond(b"ok")]) as peer:
        assert ask(f"http://[::ffff:127.0.0.1]:{peer.port}/v1").body == b"ok"
    assert peer.received[0].headers["host"] == f"[::ffff:127.0.0.1]:{peer.port}"


def test_a_name_is_resolved_and_each_address_tried() -> None:
    with Peer([behaviours.respond(b"ok")]) as peer, socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))

        def resolve(host: str, port: int) -> Sequence[Address]:
            assert (host, port) == ("bar.example", 80)
            return [*lookup("127.0.0.1", reserved.getsockname()[1]), *lookup("127.0.0.1", peer.port)]

        answer = exchange(request("http://bar.example/"), Deadline.after(AMPLE), "b", resolve=resolve)
    assert answer.body == b"ok"
    assert peer.received[0].headers["host"] == "bar.example"


def test_a_resolver_that_hangs_is_left_at_the_deadline() -> None:
    release = threading.Event()

    def resolve(_host: str, _port: int) -> Sequence[Address]:
        release.wait()
        return []

    with pytest.raises(TimedOut):
        exchange(request("http://bar.example/"), Deadline.after(0.05), "b", resolve=resolve)
    release.set()


def test_an_unknown_name_is_unavailable() -> None:
    def resolve(_host: str, _port: int) -> Sequence[Address]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(Unavailable) as caught:
        exchange(request("http://bar.example/"), Deadline.after(AMPLE), "b", resolve=resolve)
    assert str(caught.value) == "the name bar.example does not resolve"


def test_a_name_without_addresses_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        exchange(request("http://bar.example/"), Deadline.after(AMPLE), "b", resolve=lambda _host, _port: [])


@contextmanager
def secure_peer(authority: trustme.CA, name: str, behaviour: Behaviour) -> Iterator[Peer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    with Peer([behaviour], tls=context) as peer:
        yield peer


def test_tls(authority: trustme.CA) -> None:
    with secure_peer(authority, "127.0.0.1", behaviours.respond(b"secret")) as peer:
        assert ask(peer.url).body == b"secret"


def test_tls_drips_to_the_deadline_only(authority: trustme.CA) -> None:
    with secure_peer(authority, "127.0.0.1", behaviours.drip_body) as peer, pytest.raises(TimedOut):
        ask(peer.url, seconds=0.2, limit=100_000)


def test_a_request_is_sent_to_the_deadline_only(authority: trustme.CA) -> None:
    taken: list[int] = []

    def sip(connection: Connection) -> None:
        while not connection._closing.wait(0.001):
            taken.append(len(connection._more()))

    body = bytes(60_000_000)
    with secure_peer(authority, "127.0.0.1", sip) as peer, pytest.raises(TimedOut):
        exchange(request(peer.url, body), Deadline.after(0.3), "b")
    assert sum(taken) < len(body)


@pytest.mark.usefixtures("authority")
def test_a_certificate_of_nobody_we_know_is_not_trusted() -> None:
    with (
        secure_peer(trustme.CA(), "127.0.0.1", behaviours.respond(b"secret")) as peer,
        pytest.raises(Unavailable) as caught,
    ):
        ask(peer.url)
    assert "is not trusted" in str(caught.value)
    assert not caught.value.retryable


def test_a_certificate_for_another_name_is_not_trusted(authority: trustme.CA) -> None:
    with secure_peer(authority, "bar.example", behaviours.respond(b"x")) as peer, pytest.raises(Unavailable):
        ask(peer.url)


def test_a_handshake_that_never_ends_is_left_at_the_deadline() -> None:
    with Peer([Connection.hold]) as peer, pytest.raises(TimedOut):
        ask(peer.url.replace("http:", "https:"), seconds=0.1)


def test_a_peer_without_tls_is_unavailable() -> None:
    def plain(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Peer([plain]) as peer, pytest.raises(Unavailable):
        ask(peer.url.replace("http:", "https:"))


@given(junk=st.binary(max_size=300), status=st.booleans())
def test_whatever_comes_back_is_an_answer_or_a_typed_error(junk: bytes, status: bool) -> None:  # noqa: FBT001 — drawn
    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send((b"HTTP/1.1 200 OK\r\n" if status else b"") + junk)

    with Peer([behave]) as peer, suppress(BackendError):
        assert len(ask(peer.url).body) <= len(junk)
