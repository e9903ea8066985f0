"""The server over real sockets on loopback."""

import contextlib
import http.client
import json
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.core.errors import Cancelled
from engine.core.events import TurnStarted, ignore
from engine.core.record import replace
from engine.web.app import INVOCATIONS
from engine.web.protocol import Limits
from tests.fakes.bots import CANNED, FakeBot
from tests.fakes.serving import Serving, SlowBot, chat, heard, request, status_and_body

BODY = '{"input": "こんばんは"}'.encode()
KEPT = chat(connection="keep-alive")
SESAME = "open-sesame"
LAST = request("GET /health")


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
            "OPTIONS", "/chat", headers={"Origin": "http://localhost:5173", "Access-Control-Request-Method": "POST"}
        )
        response = connection.getresponse()
        assert (response.status, response.read()) == (204, b"")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    connection.close()


def test_the_body_is_the_one_that_lambda_returns(serve):
    serving = serve()
    _, _, over_http = serving.raw(chat()).partition(b"\r\n\r\n")
    status, proxy = serving.ask(request(f"POST {INVOCATIONS}", b'{"input": "hello"}'))
    assert (status, proxy["statusCode"], proxy["body"].encode()) == (200, 200, over_http)


def test_a_visitor_at_the_root_is_greeted_and_may_post_there(serve):
    serving = serve()
    assert serving.raw(request("GET /")).endswith(b"\r\n\r\npost to /chat\n")
    assert serving.raw(request("HEAD /")).endswith(b"\r\n\r\n")
    assert serving.ask(request("POST /", BODY))[0] == 200


@pytest.mark.parametrize("body", [b"not json", b"[" * 100_000, b"\xff\xfe"])
def test_an_invocation_that_is_no_json(serve, body):
    status, answer = serve().ask(request(f"POST {INVOCATIONS}", body))
    assert (status, answer["code"]) == (400, "event_not_json")


def test_a_client_token_guards_the_local_path_of_lambda_too(serve):
    serving = serve(CLIENT_TOKEN=SESAME)
    line = f"POST {INVOCATIONS}"
    assert serving.ask(request(line, BODY))[0] == 401
    assert serving.ask(request(line, BODY, authorization=f"Bearer {SESAME}"))[0] == 200
    assert serving.ask(request(f"GET {INVOCATIONS}"))[0] == 405


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (request("POST /chat", content_length="many"), 400, "http_invalid"),
        (request("POST /chat", content_length="-1"), 400, "http_invalid"),
        (request("POST /chat", content_length="9" * 30), 400, "http_invalid"),
        (request("POST /chat", content_length="5, 6"), 400, "http_invalid"),
        (request("POST /chat", content_length="5", transfer_encoding="chunked") + b"0\r\n\r\n", 400, "http_invalid"),
        (request("POST /chat", transfer_encoding="gzip"), 501, "http_invalid"),
        (request("POST /chat", b"a" * 300_000), 413, "body_too_large"),
        (request(f"POST {INVOCATIONS}", b" " * 7_000_000), 413, "body_too_large"),
        (request("POST /chat"), 400, "body_missing"),
        (request("POST /chat", b"\xff\xfe\x00"), 400, "body_encoding"),
        (request("GET /nowhere"), 404, "path_unknown"),
        (request("BREW /chat"), 405, "method_not_allowed"),
        (request("GET nowhere"), 400, "http_invalid"),
        (b"GET\r\n\r\n", 400, "http_invalid"),
        (b"\0\1\2\3\r\n\r\n", 400, "http_invalid"),
        (b"\x80\x2e\x01\x00\x02", 400, "http_invalid"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", 400, "http_invalid"),
        (b"GET /health\r\n", 400, "http_invalid"),
        ("GET /チャット HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), 400, "http_invalid"),
        (b"G\xe9T / HTTP/1.1\r\n", 400, "http_invalid"),
        (b'{"input": "hi"}', 400, "http_invalid"),
        (request("GET *"), 404, "path_unknown"),
        (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 505, "http_invalid"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http_invalid"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "http_invalid"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400, "http_invalid"),
        (b"GET / HTTP/1.1\nHost: localhost\n\n", 400, "http_invalid"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: x\n\r\n", 400, "http_invalid"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: x\ry\r\n\r\n", 400, "http_invalid"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: x\r\n folded\r\n\r\n", 400, "http_invalid"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nName : x\r\n\r\n", 400, "http_invalid"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: x\0\r\n\r\n", 400, "http_invalid"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x8a" * 500, 400, "http_invalid"),
        (request("GET /" + "x" * 70_000), 431, "http_invalid"),
        (request("GET /", x="x" * 70_000), 431, "http_invalid"),
        (request("GET /", **{f"x{number}": "y" * 100 for number in range(2000)}), 431, "http_invalid"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_refused_is_refused_in_json_and_the_connection_closed(serve, sent, status, code):
    found, body = serve().ask(sent)
    assert (found, body["code"]) == (status, code)
    assert not {"Traceback", "bytearray"} & set(re.findall(r"\w+", body["error"]))


def test_https_is_told_to_be_http(serve):
    assert "http://" in serve().ask(b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03")[1]["error"]


def test_a_head_that_comes_in_pieces(serve):
    with serve().connect() as connection:
        for byte in chat():
            connection.sendall(bytes([byte]))
        assert status_and_body(heard(connection))[0] == 200


def test_a_refusal_arrives_while_the_client_still_sends(serve):
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    with serve().connect() as connection:
        connection.sendall(request("POST /chat", transfer_encoding="chunked"))
        for _ in range(100):
            connection.sendall(chunk)
        connection.sendall(b"0\r\n\r\n")
        assert status_and_body(heard(connection)) == (
            413,
            {"error": "the body is larger than 256 KB", "code": "body_too_large"},
        )


def test_a_body_in_chunks(serve):
    body = b"7\r\n" + BODY[:7] + b"\r\n" + f"{len(BODY) - 7:x}".encode() + b"\r\n" + BODY[7:] + b"\r\n0\r\n\r\n"
    assert serve().ask(request("POST /chat", transfer_encoding="chunked") + body)[0] == 200


def test_a_body_that_never_comes_is_given_up(serve):
    serving = serve(limits=Limits(seconds=0.2))
    assert serving.ask(request("POST /chat", content_length="10") + b"abc")[1]["code"] == "body_late"


@pytest.mark.parametrize("begun", [b"", b"POST /chat HT", request("POST /chat", content_length="100000")])
def test_dripping_bytes_do_not_buy_time(serve, begun):
    serving = serve(limits=Limits(seconds=0.3))
    dripped = 0
    with serving.connect(timeout=0.05) as connection:
        connection.sendall(begun)
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


def test_a_client_that_says_it_has_sent_everything_is_answered(serve):
    bot = SlowBot()
    with serve(bot).connect() as connection:
        connection.sendall(chat("slow", connection="keep-alive"))
        connection.shutdown(socket.SHUT_WR)
        bot.inside.acquire()
        bot.go_on.set()
        assert status_and_body(heard(connection))[0] == 200


def test_a_body_cut_by_the_client_reaches_nobody(serve):
    bot = FakeBot()
    with serve(bot).connect() as connection:
        connection.sendall(request("POST /chat", content_length="100") + b'{"input": "a"}')
        connection.shutdown(socket.SHUT_WR)
        assert heard(connection) == b""
    assert bot.requests == []


def test_a_client_that_goes_away_leaves_the_server_standing(serve, capfd):
    serving = serve()
    for _ in range(5):
        with serving.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            connection.sendall(request("POST /chat", content_length="1000") + b"abc")
    assert serving.ask(LAST)[0] == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"POST /chat HTTP/1.1\r\nX",
        b"\x16\x03\x01",
        request("POST /chat", content_length="1000") + b"{",
        request("POST /chat", content_length="10000000") + b"{",
        request("POST /chat", transfer_encoding="chunked") + b"5\r\nab",
        request("POST /chat", content_length="1000", expect="100-continue"),
    ],
)
def test_connections_that_only_wait_give_way_to_new_ones(serve, begun):
    serving = serve(limits=Limits(connections=8))
    waiting = [serving.connect() for _ in range(40)]
    for connection in waiting:
        with contextlib.suppress(ConnectionError):
            connection.sendall(begun)
    assert [serving.ask(LAST)[0] for _ in range(20)] == [200] * 20
    for connection in waiting:
        connection.close()


def test_when_all_connections_are_at_work_another_is_closed_at_once(serve):
    bot = SlowBot()
    serving = serve(bot, Limits(connections=1))
    with serving.connect() as slow:
        slow.sendall(chat("slow"))
        bot.inside.acquire()
        assert closed(serving.connect())
        bot.go_on.set()
        assert status_and_body(heard(slow))[0] == 200


def closed(connection: socket.socket) -> bool:
    with connection:
        try:
            return connection.recv(1) == b""
        except ConnectionError:
            return True


def test_threads_share_the_server(serve):
    bot = FakeBot()
    serving = serve(bot)
    with ThreadPoolExecutor(16) as clients:
        statuses = list(clients.map(lambda _: serving.ask(chat())[0], range(64)))
    assert set(statuses) <= {200, 503}
    assert len(bot.requests) == statuses.count(200) > 0


def test_a_slow_turn_holds_nobody_else(serve):
    bot = SlowBot()
    serving = serve(bot)
    with serving.connect() as slow:
        slow.sendall(chat("slow"))
        bot.inside.acquire()
        assert serving.ask(chat("quick"))[0] == 200
        bot.go_on.set()
        assert status_and_body(heard(slow))[0] == 200


@pytest.mark.parametrize("waiting", [0, 64])
def test_when_all_threads_are_at_slow_turns_others_are_turned_away(serve, waiting):
    bot = SlowBot()
    serving = serve(bot, Limits(turns=2, waiting=waiting))
    slow = [serving.connect() for _ in range(2)]
    for connection in slow:
        connection.sendall(chat("slow"))
        bot.inside.acquire()
    answer = serving.raw(chat("quick"))
    found, body = status_and_body(answer)
    assert (found, body["code"]) == (503, "busy")
    assert b"retry-after: 1\r\n" in answer
    bot.go_on.set()
    for connection in slow:
        assert status_and_body(heard(connection))[0] == 200
        connection.close()
    assert serving.ask(chat("quick"))[0] == 200


def test_a_stop_waits_for_what_is_being_answered():
    bot = SlowBot()
    serving = Serving(bot, None, "127.0.0.1", {})
    with serving.connect() as slow:
        slow.sendall(chat("slow"))
        bot.inside.acquire()
        stopping = threading.Thread(target=serving.server.stop, args=(30,))
        stopping.start()
        bot.go_on.set()
        assert status_and_body(heard(slow))[0] == 200
        stopping.join(30)
    assert not serving.server._thread.is_alive()


def test_a_stop_does_not_wait_for_those_who_only_sit_there():
    serving = Serving(FakeBot(), None, "127.0.0.1", {})
    with serving.connect() as idle, serving.connect() as half, serving.connect() as refused:
        half.sendall(b"POST /chat HTTP/1.1\r\n")
        refused.sendall(b"\x16\x03\x01")
        assert refused.recv(65536).startswith(b"HTTP/1.1 400")
        serving.server.stop(30)
        assert heard(idle) == heard(half) == b""


def test_requests_that_come_together_are_answered_in_order(serve):
    answer = serve().raw(KEPT * 40 + LAST + KEPT)
    assert answer.count(b"HTTP/1.1 200 OK") == 41
    assert b'"status": "ok"' in answer.rpartition(b"HTTP/1.1")[2]


def test_a_bad_head_after_a_good_request_is_refused_after_its_answer(serve):
    answer = serve().raw(KEPT + b"GET / HTTP/1.1\nHost: localhost\n\n")
    assert answer.count(b"HTTP/1.1 ") == 2
    assert answer.rpartition(b"HTTP/1.1 ")[2].startswith(b"400")


def test_clients_that_send_ahead_do_not_starve_others(serve):
    serving = serve()
    greedy = [serving.connect() for _ in range(80)]
    for connection in greedy:
        connection.sendall(KEPT * 50)
    assert [serving.ask(chat())[0] for _ in range(10)] == [200] * 10
    for connection in greedy:
        connection.close()


def test_requests_that_are_sent_ahead_take_few_of_the_threads(serve):
    bot = SlowBot()
    serving = serve(bot, Limits(turns=8, ahead=2))
    greedy = [serving.connect() for _ in range(20)]
    for connection in greedy:
        connection.sendall(KEPT + chat("slow"))
    for _ in range(2):
        bot.inside.acquire()
    assert [serving.ask(chat())[0] for _ in range(10)] == [200] * 10
    assert not bot.inside.acquire(blocking=False)
    bot.go_on.set()
    for connection in greedy:
        assert heard(connection).count(b"HTTP/1.1 200 OK") == 2
        connection.close()


def test_a_client_that_waits_for_leave_to_send_gets_it(serve):
    body = b'{"input": "hello"}'
    with serve().connect() as connection:
        connection.sendall(request("POST /chat", expect="100-continue", content_length=str(len(body))))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert status_and_body(heard(connection))[0] == 200


def test_a_client_that_waits_for_leave_to_send_too_much_does_not_get_it(serve):
    sent = request("POST /chat", expect="100-continue", content_length="10000000")
    assert serve().ask(sent)[0] == 413


def test_http_1_0(serve):
    serving = serve()
    sent = b"POST /chat HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    assert serving.ask(sent)[0] == 200
    assert b"\r\nconnection: close\r\n" in serving.raw(sent).lower()


def test_an_absolute_target(serve):
    serving = serve()
    assert serving.ask(request("POST http://127.0.0.1:9000/chat", BODY))[0] == 200
    assert serving.ask(request("GET HTTP://LOCALHOST/health?x"))[1]["status"] == "ok"
    assert serving.ask(request("POST http://evil.example/chat", BODY))[0] == 421


def test_a_response_larger_than_the_pipe_arrives_whole(serve):
    bot = FakeBot(outcome=replace(CANNED, reply="あ" * 1_000_000))
    assert serve(bot).ask(chat())[1]["reply"] == "あ" * 1_000_000


SENT = pytest.mark.parametrize("sent", [KEPT, KEPT * 3, chat()], ids=["kept", "sent ahead", "to be closed"])


@SENT
def test_who_takes_no_response_is_left(serve, sent):
    serving = serve(FakeBot(outcome=replace(CANNED, reply="あ" * 5_000_000)), Limits(seconds=0.5))
    with serving.connect() as connection:
        connection.sendall(sent)
        assert connection.recv(1) == b"H"
        while serving.open_connections():
            serving.ask(request("HEAD /health"))
        assert len(heard(connection)) < 15_000_000


@SENT
def test_who_takes_no_response_gives_way_to_new_connections(serve, sent):
    serving = serve(FakeBot(outcome=replace(CANNED, reply="あ" * 5_000_000)), Limits(connections=1))
    with serving.connect() as connection:
        connection.sendall(sent)
        assert connection.recv(1) == b"H"
        # Large replies take their time; what counts is that somebody answers.
        assert serving.ask(LAST)[0] in {200, 503}


def test_ipv6(serve):
    serving = serve(host="::1")
    assert serving.server.url.startswith("http://[::1]:")
    assert serving.ask(chat(host=f"[::1]:{serving.address[1]}"))[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/2015-03-31/functions/function/invocations/",
        "//2015-03-31/functions/function/invocations",
        "/2015-03-31/functions/misaki/invocations",
        "/api/2015-03-31/functions/function/invocations",
        "/a/b/2015-03-31/functions/function/invocations?x=1",
    ],
)
def test_an_invocation_behind_a_base_path(serve, path):
    status, proxy = serve().ask(request(f"POST {path}", b'{"input": "hello"}'))
    assert (status, proxy["statusCode"]) == (200, 200)


def test_a_direct_event_over_256_kilobytes_is_refused_before_it_is_parsed(serve):
    status, answer = serve().ask(request(f"POST {INVOCATIONS}", b"[" * (256 * 1024 + 1)))
    assert (status, answer["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("path", [INVOCATIONS.replace("/f", "//f"), f"//{INVOCATIONS}", f"{INVOCATIONS}//"])
def test_slashes_too_many_change_no_path(serve, path):
    assert serve().ask(request(f"POST {path}", BODY))[1]["statusCode"] == 200


def test_a_stream_comes_in_parts_while_the_turn_runs(serve):
    bot = SlowBot()
    serving = serve(bot)
    connection = http.client.HTTPConnection(*serving.address, timeout=30)
    connection.request("POST", "/chat", json.dumps({"input": "slow", "stream": True}))
    assert bot.inside.acquire(timeout=30)
    response = connection.getresponse()
    assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
    assert response.readline() == b"event: turn\n"
    bot.go_on.set()
    body = response.read().decode()
    assert [line for line in body.splitlines() if line.startswith("event:")] == [
        "event: turn",
        "event: sentence",
        "event: done",
    ]
    connection.close()


def test_lambda_gets_a_stream_in_one_piece(serve):
    event = {"input": "hello", "stream": True}
    status, proxy = serve().ask(request(f"POST {INVOCATIONS}", json.dumps(event).encode()))
    assert (status, proxy["statusCode"]) == (200, 200)
    assert proxy["headers"]["Content-Type"] == "text/event-stream"
    assert proxy["body"].endswith("\n\n")
    assert "event: done" in proxy["body"]


def test_a_client_that_closes_in_the_middle_of_a_stream_has_left(serve):
    left = threading.Event()

    class Waiting(FakeBot):
        def reply(self, _request, deadline=None, listen=ignore):
            listen(TurnStarted(session_id="s", number=1))
            if deadline.gone.wait(30):
                left.set()
            raise Cancelled("gone", backend="b")

    serving = serve(Waiting())
    with serving.connect() as client:
        body = b'{"input": "a", "stream": true}'
        client.sendall(b"POST /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        while b"event: turn" not in client.recv(65536):
            pass
    assert left.wait(10)
