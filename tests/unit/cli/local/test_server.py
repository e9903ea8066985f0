"""The local server over real sockets on loopback."""

import http.client
import json
import socket
import threading

import pytest

from engine.api.policy import Policy
from engine.aws.handler import make_handler
from engine.cli.local.front import Front
from engine.cli.local.server import Limits, LocalServer
from engine.model.record import replace
from tests.fakes.bots import CANNED, FakeBot

BODY = '{"input": "こんばんは"}'.encode()


@pytest.fixture
def serve():
    running: list = []

    def start(bot: FakeBot | None = None, limits: Limits | None = None, host: str = "127.0.0.1") -> LocalServer:
        front = Front(make_handler(bot or FakeBot(), {}, log=lambda _: None), Policy(), greeting="post to /chat\n")
        server = LocalServer((host, 0), front, limits)
        server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop(30)


def raw(server: LocalServer, request: bytes) -> bytes:
    """Everything the server says until it closes."""
    with socket.create_connection(server.address, timeout=30) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def status_and_body(answer: bytes) -> tuple[int, dict]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_many_requests_over_one_connection(serve):
    connection = http.client.HTTPConnection(*serve().address, timeout=30)
    for _ in range(20):
        connection.request("POST", "/chat", BODY, {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status == 200
        assert json.loads(response.read())["reply"] == "いらっしゃい。"
    connection.close()


def test_preflight_and_then_no_body(serve):
    connection = http.client.HTTPConnection(*serve().address, timeout=30)
    for _ in range(2):
        connection.request(
            "OPTIONS", "/chat", headers={"Origin": "http://page", "Access-Control-Request-Method": "POST"}
        )
        response = connection.getresponse()
        assert (response.status, response.read()) == (204, b"")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    connection.close()


def test_head_has_no_body(serve):
    answer = raw(serve(), b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"POST /chat HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411, "content_length_missing"),
        (b"POST /chat HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400, "content_length_invalid"),
        (b"POST /chat HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "content_length_invalid"),
        (b"POST /chat HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + b"a" * 300000, 413, "body_too_large"),
        (b"POST /chat HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "body_missing"),
        (b"GET /nowhere HTTP/1.1\r\nConnection: close\r\n\r\n", 404, "path_unknown"),
        (b"BREW /chat HTTP/1.1\r\n\r\n", 501, "http_invalid"),
        (b"GET\r\n\r\n", 400, "http_invalid"),
        (b"GET / HTTP/9.9\r\n\r\n", 505, "http_invalid"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414, "http_invalid"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431, "http_invalid"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_refused_is_refused_in_json(serve, request_, status, code):
    found, body = status_and_body(raw(serve(), request_))
    assert (found, body["code"]) == (status, code)
    assert b"Traceback" not in body["error"].encode()


def test_a_body_that_never_comes_ends_the_connection(serve):
    server = serve(limits=Limits(seconds=0.2))
    assert raw(server, b"POST /chat HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc") == b""


def test_dripping_bytes_do_not_buy_time(serve):
    server = serve(limits=Limits(seconds=0.3))
    dripped = 0
    with socket.create_connection(server.address, timeout=0.05) as connection:
        connection.sendall(b"POST /chat HTTP/1.1\r\nContent-Length: 100000\r\n\r\n")
        while dripped < 10_000:
            try:
                if connection.recv(1) == b"":
                    break
            except TimeoutError:
                dripped += 1
                connection.sendall(b"a")
            except ConnectionError:
                break
    assert dripped < 100


def test_a_body_cut_by_the_client(serve):
    server = serve()
    with socket.create_connection(server.address, timeout=30) as connection:
        connection.sendall(b"POST /chat HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert status_and_body(answer)[1]["code"] == "body_incomplete"


def test_more_connections_than_allowed_are_closed_at_once(serve):
    server = serve(limits=Limits(connections=1))
    first = http.client.HTTPConnection(*server.address, timeout=30)
    first.request("GET", "/health")
    assert first.getresponse().read()
    assert raw(server, b"") == b""
    first.close()


def test_a_client_that_goes_away_leaves_the_server_standing(serve, capfd):
    server = serve()
    for _ in range(5):
        with socket.create_connection(server.address, timeout=30) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            connection.sendall(b"POST /chat HTTP/1.1\r\nContent-Length: 1000\r\n\r\nabc")
    assert status_and_body(raw(server, b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n"))[0] == 200
    assert capfd.readouterr().err == ""


def test_threads_share_the_server(serve):
    bot = FakeBot()
    server = serve(bot)
    statuses: list = []

    def ask() -> None:
        connection = http.client.HTTPConnection(*server.address, timeout=30)
        connection.request("POST", "/chat", BODY)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == 16
    assert set(statuses) <= {200, 503}
    assert len(bot.requests) == statuses.count(200) > 0


class SlowBot(FakeBot):
    """Answers once it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.go_on = threading.Semaphore(0), threading.Event()

    def reply(self, request, deadline=None):
        if request.text == "slow":
            self.inside.release()
            self.go_on.wait(30)
        return super().reply(request, deadline)


def chat(text: str) -> bytes:
    body = json.dumps({"input": text}).encode()
    return b"POST /chat HTTP/1.1\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


def test_a_slow_turn_holds_nobody_else(serve):
    bot = SlowBot()
    server = serve(bot)
    with socket.create_connection(server.address, timeout=30) as slow:
        slow.sendall(chat("slow"))
        bot.inside.acquire()
        assert status_and_body(raw(server, chat("quick")))[0] == 200
        bot.go_on.set()
        answer = b"".join(iter(lambda: slow.recv(65536), b""))
    assert status_and_body(answer)[0] == 200


def test_when_all_threads_are_at_slow_turns_others_are_turned_away(serve):
    bot = SlowBot()
    server = serve(bot, Limits(turns=2))
    slow = [socket.create_connection(server.address, timeout=30) for _ in range(2)]
    for connection in slow:
        connection.sendall(chat("slow"))
        bot.inside.acquire()
    found, body = status_and_body(raw(server, chat("quick")))
    assert (found, body["code"]) == (503, "busy")
    bot.go_on.set()
    for connection in slow:
        answer = b"".join(iter(lambda connection=connection: connection.recv(65536), b""))
        assert status_and_body(answer)[0] == 200
        connection.close()
    assert status_and_body(raw(server, chat("quick")))[0] == 200


def test_a_stop_waits_for_what_is_being_answered():
    bot = SlowBot()
    server = LocalServer(("127.0.0.1", 0), Front(make_handler(bot, {}, log=lambda _: None), Policy()))
    server.start()
    with socket.create_connection(server.address, timeout=30) as slow:
        slow.sendall(chat("slow"))
        bot.inside.acquire()
        stopping = threading.Thread(target=server.stop, args=(30,))
        stopping.start()
        bot.go_on.set()
        answer = b"".join(iter(lambda: slow.recv(65536), b""))
        stopping.join(30)
    assert status_and_body(answer)[0] == 200
    assert not any(thread.name.startswith("serve ") for thread in threading.enumerate())


def test_requests_that_come_together_are_answered_in_order(serve):
    once = chat("hello").replace(b"Connection: close\r\n", b"")
    answer = raw(serve(), once * 40 + b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n" + once)
    assert answer.count(b"HTTP/1.1 200 OK") == 41
    assert b'"status": "ok"' in answer.rpartition(b"HTTP/1.1")[2]


def test_a_client_that_waits_for_leave_to_send_gets_it(serve):
    body = b'{"input": "hello"}'
    with socket.create_connection(serve().address, timeout=30) as connection:
        connection.sendall(b"POST /chat HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\n")
        connection.sendall(b"Content-Length: %d\r\n\r\n" % len(body))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert status_and_body(answer)[0] == 200


def test_a_response_larger_than_the_pipe_arrives_whole(serve):
    bot = FakeBot(outcome=replace(CANNED, reply="あ" * 1_000_000))
    with socket.create_connection(serve(bot).address, timeout=30) as connection:
        connection.sendall(chat("hello"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert status_and_body(answer)[1]["reply"] == "あ" * 1_000_000


def test_ipv6(serve):
    server = serve(host="::1")
    assert server.url.startswith("http://[::1]:")
