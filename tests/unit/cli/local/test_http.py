import pytest

from engine.api.errors import RequestError
from engine.cli.local.http import read_head, rendered

HEAD = b"POST /chat?a=1 HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\nX: a\r\nx:b "


def test_a_head():
    head = read_head(HEAD)
    assert (head.method, head.target, head.length, head.keep, head.waits) == ("POST", "/chat?a=1", 5, True, False)
    assert head.headers == {"host": "here", "content-length": "5", "x": "a, b"}


@pytest.mark.parametrize(
    ("raw", "keep"),
    [
        (b"GET / HTTP/1.1", True),
        (b"GET / HTTP/1.1\r\nConnection: Close", False),
        (b"GET / HTTP/1.0", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive", True),
    ],
)
def test_whether_the_connection_goes_on(raw, keep):
    assert read_head(raw).keep is keep


def test_an_absolute_target_is_a_path():
    assert read_head(b"GET http://[::1]:80/health?x HTTP/1.1").target == "/health?x"
    assert read_head(b"GET HTTP://here HTTP/1.1").target == "/"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"GET /", 400),
        (b"GET  / HTTP/1.1", 400),
        (b"GET / HTTP/1.1 ", 400),
        (b"GET //[ HTTP/2.0", 505),
        (b"GET x HTTP/1.1", 400),
        (b"GET /\n HTTP/1.1", 400),
        (b"TRACE / HTTP/1.1", 501),
        (b"get / HTTP/1.1", 501),
        (b"GET / HTTP/1.1\r\nno colon", 400),
        (b"GET / HTTP/1.1\r\nName : x", 400),
        (b"GET / HTTP/1.1\r\nA: x\r\n folded", 400),
        (b"GET / HTTP/1.1\r\nA: x\ny", 400),
        (b"GET / HTTP/1.1\r\nA: x\0", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: +5", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 30, 400),
        (b"POST / HTTP/1.1\r\nContent-Length: \xb2", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: identity", 411),
    ],
)
def test_what_two_readers_might_read_in_two_ways_is_refused(raw, status):
    with pytest.raises(RequestError) as caught:
        read_head(raw)
    assert caught.value.status == status


def test_a_response():
    response = {"statusCode": 200, "headers": {"X": "1"}, "body": "あ"}
    head, _, body = rendered(response, method="POST", keep=True).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.endswith(b"X: 1\r\nContent-Length: 3")
    assert body.decode() == "あ"


def test_a_response_without_a_body():
    response = {"statusCode": 204, "headers": {}, "body": ""}
    last = rendered(response, method="OPTIONS", keep=False)
    assert b"Content-Length" not in last
    assert last.endswith(b"Connection: close\r\n\r\n")
    response = {"statusCode": 200, "headers": {}, "body": "abc"}
    assert rendered(response, method="HEAD", keep=True).endswith(b"Content-Length: 3\r\n\r\n")
