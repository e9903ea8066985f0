"""Which requests a server on one's own machine answers, over real sockets."""

import pytest

from engine.web.access import Access
from tests.fakes.bots import FakeBot
from tests.fakes.serving import chat, request

STRANGER = "https://stranger.example"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:9000", "127.0.0.1", "127.0.0.1:80", "[::1]:9000", "127.1.2.3"]
)
def test_the_names_of_this_machine_are_answered_for(serve, host):
    assert serve().ask(chat(host=host))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "stranger.example",
        "stranger.example:9000",
        "localhost.stranger.example",
        "192.168.0.7",
        "8.8.8.8",
        "[::",
        "@",
        "a b",
        "stranger.example@localhost",
        "localhost#stranger.example",
        "localhost?stranger.example",
        "localhost/stranger.example",
        "[::1]stranger.example",
    ],
)
def test_a_name_that_somebody_made_to_point_here_is_not(serve, host):
    bot = FakeBot()
    status, body = serve(bot).ask(chat(host=host))
    assert (status, body["code"]) == (421, "host_unknown")
    assert bot.requests == []


@pytest.mark.parametrize(
    "origin", ["http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:8080", "https://localhost"]
)
def test_a_page_of_this_machine_may_call_from_any_port(serve, origin):
    assert serve().ask(chat(origin=origin, sec_fetch_site="same-site"))[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": STRANGER},
        {"origin": STRANGER, "content_type": "text/plain"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://localhost.stranger.example"},
        {"origin": "http://localhost:80@stranger.example"},
        {"sec_fetch_site": "cross-site", "content_type": "text/plain"},
        {"sec_fetch_site": "Cross-Site"},
    ],
)
def test_a_page_of_another_site_may_not(serve, headers):
    bot = FakeBot()
    status, body = serve(bot).ask(chat(**headers))
    assert (status, body["code"]) == (403, "origin_forbidden")
    assert bot.requests == []


def test_an_origin_that_is_allowed_may_call_and_its_host_is_answered_for(serve):
    serving = serve(ALLOWED_ORIGINS=f"{STRANGER}, http://localhost:5173")
    assert serving.ask(chat(origin=STRANGER))[0] == 200
    assert serving.ask(chat(host="stranger.example"))[0] == 200
    assert serving.ask(chat(origin="http://localhost:3000"))[0] == 403


def test_everybody_may_call_where_that_is_said(serve):
    assert serve(ALLOWED_ORIGINS="*").ask(chat(origin=STRANGER))[0] == 200


def test_beyond_loopback_every_host_is_answered_for_and_no_strange_page():
    access = Access(host="0.0.0.0")  # noqa: S104  an address to be checked, nothing listens there
    access.check("POST", {"host": "backend:9000"})
    access.check("POST", {"host": "192.168.0.7:9000", "origin": "http://192.168.0.7:9000"})
    for host in ("rebound.example", "192.168.0.7"):
        with pytest.raises(Exception, match="ALLOWED_ORIGINS"):
            access.check("POST", {"host": host, "origin": "http://rebound.example"})


def test_health_tells_everything_at_this_machine_and_one_word_through_a_proxy(serve):
    serving = serve()
    assert serving.ask(request("GET /health"))[1]["models"]["small"]["state"] == "ready"
    for headers in ({"x_forwarded_for": "203.0.113.7"}, {"forwarded": "for=203.0.113.7"}, {"via": "1.1 proxy"}):
        assert serving.ask(request("GET /health", **headers)) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("peer", "headers", "local"),
    [
        ("127.0.0.1", {"host": "localhost:9000"}, True),
        ("::1", {"host": "[::1]"}, True),
        ("::ffff:127.0.0.1", {"host": "127.0.0.1", "origin": "http://localhost:3000"}, True),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-for": "203.0.113.7"}, False),
        ("127.0.0.1", {"host": "localhost", "forwarded": "for=203.0.113.7"}, False),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-proto": "https"}, False),
        ("127.0.0.1", {"host": "bot.example"}, False),
        ("127.0.0.1", {"host": "localhost", "origin": STRANGER}, False),
        ("127.0.0.1", {"host": "localhost", "sec-fetch-site": "cross-site"}, False),
        ("127.0.0.1", {"host": "stranger.example@localhost"}, False),
        ("172.17.0.1", {"host": "localhost"}, False),
        ("", {"host": "localhost"}, False),
    ],
)
def test_who_is_at_this_machine(peer, headers, local):
    assert Access(host="127.0.0.1").is_local(peer, headers) is local
