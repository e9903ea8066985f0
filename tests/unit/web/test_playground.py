"""The page at `/` and its calls, over real sockets: who gets them, and what they tell."""

import json
import re

import pytest

from engine.api.errors import RequestError
from engine.app import App
from engine.conversations import open_store
from engine.core.deadline import Deadline
from engine.core.events import Outcome
from engine.core.language import phrase
from engine.core.record import replace
from engine.core.rooms import NewTurn
from engine.core.source import Problem
from engine.core.turn import ChatRequest
from engine.pipeline.reading.files import at
from engine.web.playground import page_text
from engine.web.talks import Talks
from tests.fakes.plans import plan, replies_step, reply, say_step, turn
from tests.fakes.serving import Serving, request, status_and_body

EVENING = reply("evening", "こんばんは。", when="now.hour >= 17")
ANY = reply("any", "いらっしゃい。")
SORRY = reply("sorry", "ごめんなさいね。")
PLAN = plan(
    replies_step(),
    say_step(2),
    replies={EVENING: ("こんばんは",), ANY: ("こんばんは", "ただいま戻りました"), SORRY: ()},
)
LOCAL = "localhost:9000"
ROOM = "room-of-the-page"


@pytest.fixture(scope="module")
def app():
    bar = App(PLAN, models={}, rooms=open_store("memory"))
    yield bar
    bar.close()


@pytest.fixture(scope="module")
def serving(app):
    running = Serving(app, None, "127.0.0.1", {}, playground=True)
    yield running
    running.server.stop(30)
    running.playground.close()


def opened(serving, **headers):
    """Head and body of the page as a browser gets it."""
    asked = request("GET /", **{"accept": "text/html,*/*", "host": LOCAL, **headers})
    head, _, body = serving.raw(asked).decode().partition("\r\n\r\n")
    return head.lower(), body


def called(serving, name, payload, **headers):
    own = {"host": LOCAL, "origin": f"http://{LOCAL}", "x_playground_token": serving.playground.token}
    sent = {name: value for name, value in {**own, **headers}.items() if value is not None}
    answer = serving.raw(request(f"POST /playground/{name}", json.dumps(payload).encode(), **sent))
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"text/event-stream" not in head:
        return status_and_body(answer)
    name, data = re.findall(rb"^event: (\w+)\ndata: (.*)$", unchunked(body), re.MULTILINE)[-1]
    return (200 if name == b"done" else 503), json.loads(data)


def unchunked(body):
    parts = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        parts, body = parts + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return parts


def test_a_browser_gets_the_page_with_a_token_and_a_policy_that_lets_nothing_in(serving):
    head, body = opened(serving)
    assert "content-type: text/html; charset=utf-8" in head
    assert serving.playground.token in body
    policy = re.search(r"content-security-policy: (.*)", head)[1]
    nonce = re.search(r"script-src 'nonce-(\w+)'", policy)[1]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<(?:script|style)\b[^>]*>", body) == [f'<style nonce="{nonce}">', f'<script nonce="{nonce}">']
    assert not re.search(r"{{\w+}}", body)
    assert "access-control" not in head
    assert "x-frame-options: deny" in head
    assert nonce not in opened(serving)[0]


def test_the_page_asks_for_nothing_outside_and_has_no_style_of_an_element():
    for name in ("playground.html", "widget.js"):
        text = page_text(name)
        assert not re.search(r"""(?:src|href)="?https?:|url\(|@import|innerHTML|eval\(|["']style["']| style=""", text)


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "*/*"},
        {"sec_fetch_site": "cross-site"},
        {"x_forwarded_for": "203.0.113.9"},
    ],
    ids=["curl", "a link on another site", "a proxy"],
)
def test_others_get_the_greeting(serving, headers):
    head, body = opened(serving, **headers)
    assert "content-type: text/plain" in head
    assert body == "post to /chat\n"


def test_a_server_without_playground_greets_browsers_too_and_has_no_calls(serve):
    assert opened(serve())[1] == "post to /chat\n"
    status, body = serve().ask(request("POST /playground/turn", b"{}", host=LOCAL, origin=f"http://{LOCAL}"))
    assert (status, body["code"]) == (404, "path_unknown")


@pytest.mark.parametrize("name", ["turn", "explain", "replies", "other"])
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"origin": "https://stranger.example"}, 403, "origin_forbidden"),
        ({"origin": "http://localhost:5173"}, 403, "playground_forbidden"),
        ({"origin": f"https://{LOCAL}"}, 403, "playground_forbidden"),
        ({"origin": None}, 403, "playground_forbidden"),
        ({"host": "stranger.example:9000", "origin": "http://stranger.example:9000"}, 421, "host_unknown"),
        ({"x_playground_token": None}, 403, "playground_forbidden"),
        ({"x_playground_token": "wrong"}, 403, "playground_forbidden"),
        ({"x_playground_token": "é"}, 403, "playground_forbidden"),
        ({"x_forwarded_for": "203.0.113.9"}, 403, "playground_forbidden"),
    ],
)
def test_nobody_but_the_page_gets_anything(serving, name, headers, status, code):
    answered, body = called(serving, name, {"message": "こんばんは"}, **headers)
    assert (answered, body["code"]) == (status, code)
    assert body.keys() == {"error", "code"}


def test_a_page_of_an_allowed_origin_is_not_the_playground(app):
    serving = Serving(app, None, "127.0.0.1", {"ALLOWED_ORIGINS": "https://friend.example"}, playground=True)
    try:
        status, body = called(serving, "turn", {"message": "こんばんは"}, origin="https://friend.example")
    finally:
        serving.server.stop(30)
        serving.playground.close()
    assert (status, body["code"]) == (403, "playground_forbidden")


def test_a_turn_tells_its_trace_and_where_its_reply_is_written(serving):
    status, body = called(serving, "turn", {"message": "こんばんは", "now": "2026-11-20T19:30"})
    assert (status, body["reply"], body["reply_id"]) == (200, "こんばんは。", "evening")
    assert body["span"] == str(EVENING.span)
    assert body["trace"][0]["data"]["score"] == 100.0


def test_the_clock_decides_what_may_be_said(serving):
    assert called(serving, "turn", {"message": "こんばんは", "now": "2026-11-20T09:00"})[1]["reply_id"] == "any"


@pytest.mark.parametrize("now", ["soon", 7, "0001-01-01T00:00", "9999-12-31T23:59", ["2026"]])
def test_a_clock_that_cannot_be_read_is_refused(serving, now):
    status, body = called(serving, "turn", {"message": "こんばんは", "now": now})
    assert (status, body["code"]) == (400, "now_invalid")


def test_a_turn_is_explained_as_it_was_taken(serving):
    turn = called(serving, "turn", {"message": "こんばんは", "now": "2026-11-20T09:00"})[1]["turn"]
    status, told = called(serving, "explain", {"turn": turn})
    assert status == 200
    seen = {one["reply_id"]: (one["verdict"], one["why"]) for one in told["considered"]}
    assert seen["evening"] == ("condition", "`now.hour >= 17` does not hold now")
    assert seen["any"] == ("chosen", "")
    assert all(one["span"] == str(EVENING.span) for one in told["considered"])


def test_why_not_a_reply_that_is_picked(serving):
    turn = called(serving, "turn", {"message": "ただいま戻りました", "now": "2026-11-20T09:00"})[1]["turn"]
    _, told = called(serving, "explain", {"turn": turn, "reply_id": "evening"})
    assert (told["when"], told["holds"]) == ("now.hour >= 17", False)
    assert [step["step"] for step in told["steps"]] == ["canned"]
    _, told = called(serving, "explain", {"turn": turn, "reply_id": "sorry"})
    assert [(step["step"], step["action"]) for step in told["steps"]] == [
        ("canned", "answers with `any`"),
        ("sorry", "not reached"),
    ]


def test_what_cannot_be_explained_is_named(serving):
    assert called(serving, "explain", {"turn": "none"})[1]["code"] == "turn_unknown"
    turn = called(serving, "turn", {"message": "こんばんは"})[1]["turn"]
    assert called(serving, "explain", {"turn": turn, "reply_id": "no"})[1]["code"] == "reply_unknown"
    assert called(serving, "other", {})[0] == 404


def test_the_replies_to_pick_from(serving):
    assert called(serving, "replies", {})[1]["replies"][1] == {"id": "any", "says": "いらっしゃい。"}


def test_conversations_of_the_page_go_on_and_stay_out_of_the_rooms(app, serving):
    for _ in range(2):
        said = called(serving, "turn", {"message": "こんばんは", "session_id": ROOM, "now": "2026-11-20T19:30"})[1]
    told = serving.playground._talks.turn(said["turn"]).turn
    assert (told.number, told.talk.reply_id) == (2, "evening")
    opened_room = app.rooms.open(ChatRequest(text="x", session_id=ROOM), (), Deadline.after(5))
    assert opened_room.state.turns == 0


def test_only_so_many_turns_are_kept():
    talks = Talks(turns=2)
    stored = NewTurn(text="", outcome=Outcome(reply=None), latency_ms=1.0, number=1)
    request = ChatRequest(text="")
    first, *others = [talks.keep("", PLAN, turn(text), request, stored) for text in ("こんばんは", "やあ", "おや")]
    assert [talks.turn(name).turn.text for name in others] == ["やあ", "おや"]
    for gone in (lambda: talks.turn(first), lambda: talks.until(others[-1])):
        with pytest.raises(RequestError, match="no longer kept"):
            gone()
    talks.close()


def test_a_turn_is_noted_in_the_log_without_its_words(serving):
    called(serving, "turn", {"message": "ただいま戻りました"})
    noted = serving.records[-1]
    assert (noted["path"], noted["status"], noted["reply_id"]) == ("/playground/turn", 200, "any")
    assert "ただいま" not in str(noted)


def test_a_mistake_of_ours_is_told_in_json_and_noted_with_its_place(serving):
    said = called(serving, "turn", {"message": "こんばんは"})[1]["turn"]
    taken = serving.playground._talks._turns[said]
    serving.playground._talks._turns[said] = replace(taken, turn=None)
    status, body = called(serving, "explain", {"turn": said})
    assert (status, body["code"]) == (503, "internal")
    assert serving.records[-1]["frames"]


def test_the_widget_is_sent_to_everyone(serve):
    head, _, body = serve().raw(request("GET /widget.js", host=LOCAL)).partition(b"\r\n\r\n")
    assert b"text/javascript" in head
    assert b"cross-origin-resource-policy: cross-origin" in head.lower()
    assert body.decode() == page_text("widget.js")
    assert len(body) <= 30 * 1024


def talked(serving, *words, branch=""):
    return [called(serving, "turn", {"message": one, "session_id": ROOM, "branch": branch})[1] for one in words]


def test_a_fork_goes_on_from_its_turn_and_leaves_the_first_talk_alone(serving):
    first, second = talked(serving, "こんばんは", "ただいま戻りました")
    status, forked = called(serving, "fork", {"turn": first["turn"]})
    assert status == 200
    (other,) = talked(serving, "ただいま戻りました", branch=forked["branch"])
    assert (other["reply"], other["turn"] == second["turn"]) == (second["reply"], False)
    explained = called(serving, "explain", {"turn": other["turn"]})[1]
    assert explained["text"] == "ただいま戻りました"
    assert called(serving, "fork", {"turn": "gone"})[0] == 404
    assert called(serving, "turn", {"message": "こんばんは", "branch": "gone"})[0] == 404


def test_a_file_is_written_only_for_one_who_shows_the_second_token_and_has_seen_the_change(
    serving, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    first, second = talked(serving, "こんばんは", "ただいま戻りました")
    asked = {"turn": second["turn"], "name": "an evening"}
    status, shown = called(serving, "golden", asked)
    assert (status, shown["written"], shown["sound"]) == (200, False, True)
    assert [line for line in shown["diff"].splitlines() if line.startswith("+  - name")] == ["+  - name: an evening"]
    wanted = {**asked, "write": shown["digest"]}
    path = tmp_path / shown["path"]
    for pen in (None, "", "no", serving.playground.token):
        status, told = called(serving, "golden", wanted, x_playground_pen=pen)
        assert (status, told["code"]) == (403, "playground_read_only")
    own = {"x_playground_pen": serving.playground.pen}
    status, told = called(serving, "golden", {**wanted, "write": "another"}, **own)
    assert (status, told["code"]) == (409, "changed_meanwhile")
    assert not path.exists()
    assert called(serving, "golden", wanted, **own)[1]["written"]
    assert "an evening" in path.read_text(encoding="utf-8")
    assert first["turn"] != second["turn"]


def test_the_page_does_not_hold_what_lets_it_write(serving):
    assert serving.playground.pen not in opened(serving)[1]


@pytest.mark.parametrize(
    "payload", [{}, {"part": "say", "sentence": "x"}, {"part": "match", "sentence": " "}, {"part": "match"}]
)
def test_an_edit_names_a_list_and_a_sentence(serving, payload):
    assert called(serving, "edit", {"reply_id": "evening", **payload})[1]["code"] == "edit_invalid"


def test_news_of_edits_are_told_once(serving):
    serving.playground.hear("reloaded: bar with 3 replies", taken=True)
    wrong = Problem(code="P202", message="expected a list", span=at("bar.yml", 3, 7))
    serving.playground.hear(phrase("not reloaded, since it does not load"), [wrong], taken=False)
    news = called(serving, "news", {"after": 0})[1]["news"]
    assert [one["text"] for one in news] == [
        "reloaded: bar with 3 replies",
        "not reloaded, since it does not load",
    ]
    assert [one["taken"] for one in news] == [True, False]
    assert news[1]["problems"][0]["span"] == "bar.yml:3:7"
    assert called(serving, "news", {"after": news[-1]["number"]})[1]["news"] == []


def test_what_the_engine_says_comes_in_the_language_of_the_page(serving):
    said = called(serving, "turn", {"message": "こんばんは", "session_id": ROOM, "now": "2026-11-20T19:30"})[1]
    asked = {"turn": said["turn"], "reply_id": "any"}
    found = [called(serving, "explain", {**asked, "lang": lang})[1]["steps"][0] for lang in ("en", "ja")]
    assert [step["considered"][0]["why"] for step in found] == [
        "`evening` stands before it",
        "`evening` のほうが先です",
    ]
