"""Turns as server-sent events: the last one holds what a plain answer would."""

import json
import threading

import pytest

from engine.api.policy import Policy
from engine.api.request import Request
from engine.api.response import ClientGone, Response
from engine.api.service import make_service
from engine.core.record import replace
from tests.fakes.bots import CANNED, LOCAL, NOTHING, FakeBot

BODY = {"input": "こんばんは", "stream": True}
SECRET = "sk-" + "a" * 40


def ask(bot: FakeBot, payload=BODY, records=None, headers=None, **env: str) -> Response:
    log = [] if records is None else records
    service = make_service(bot, Policy.from_env(env), log.append)
    return service(Request(body=json.dumps(payload), headers=headers or {}), None, "1")


def events(response: Response) -> list[tuple[str, dict[str, object]]]:
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["X-Accel-Buffering"] == "no"
    *frames, empty = response.whole().body.split("\n\n")
    assert empty == ""
    found = []
    for frame in frames:
        name, data = frame.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


@pytest.mark.parametrize("outcome", [CANNED, LOCAL, replace(LOCAL, escalations=NOTHING.escalations)])
def test_the_last_event_is_the_plain_answer(outcome):
    bot = FakeBot(outcome)
    plain = json.loads(ask(bot, {"input": "こんばんは"}).body)
    found = events(ask(bot))
    assert found[0] == ("turn", {"session_id": "new-session"})
    assert [one for name, one in found if name == "escalation"] == plain["escalations"]
    assert "".join(one["text"] for name, one in found if name == "sentence") == plain["reply"]
    assert [one["index"] for name, one in found if name == "sentence"] == [0]
    assert found[-1] == ("done", plain)


def test_a_browser_asks_by_its_header():
    assert events(ask(FakeBot(), {"input": "a"}, headers={"accept": "text/event-stream"}))[-1][0] == "done"


def test_what_is_wrong_with_a_request_is_a_plain_answer():
    for payload in ({"stream": True}, {"input": "a", "stream": "yes"}):
        response = ask(FakeBot(), payload)
        assert (response.status, response.stream) == (400, None)


@pytest.mark.parametrize(
    ("bot", "code"), [(FakeBot(NOTHING), "no_answer"), (FakeBot(failure=ValueError("x")), "internal")]
)
def test_without_an_answer_the_last_event_is_an_error(bot, code):
    records: list[dict[str, object]] = []
    name, payload = events(ask(bot, records=records))[-1]
    assert (name, payload["code"]) == ("error", code)
    assert len(records) == 1


def test_no_secret_is_in_any_event():
    outcome = replace(LOCAL, reply=f"the key is {SECRET}. ok")
    body = ask(FakeBot(outcome), OPENAI_API_KEY=SECRET).whole().body
    assert SECRET not in body
    assert body.count("the key is") == 4


def test_a_client_that_leaves_is_noted():
    records: list[dict[str, object]] = []
    response = ask(FakeBot(LOCAL), records=records)
    sent: list[str] = []

    def send(part: str) -> None:
        if sent:
            raise ClientGone
        sent.append(part)

    assert response.stream is not None
    response.stream(send, threading.Event())
    [record] = records
    assert (record["code"], record["step"]) == ("client_gone", "small_talk")
