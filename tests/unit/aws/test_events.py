"""Every file in `tests/events` is a case: in `accepted/` it becomes a turn, in `refused/` its name is the answer."""

import json
from pathlib import Path

import pytest

from engine.aws.handler import make_handler
from engine.core.turn import Message
from tests.fakes.bots import FakeBot

EVENTS = Path(__file__).parents[2] / "events"
ACCEPTED = sorted((EVENTS / "accepted").glob("*.json"))
REFUSED = sorted((EVENTS / "refused").glob("*.json"))
HISTORY = (Message("user", "やっと着いた"), Message("assistant", "いらっしゃい。"))
WITH_HISTORY = {
    "conversation_strings": HISTORY,
    "conversation_entries": HISTORY,
    "conversation_transcript": (HISTORY[0], Message("assistant", "いらっしゃい。\nお好きな席にどうぞ。")),
    "messages": HISTORY,
    **dict.fromkeys(
        (
            "conversation_null_content",
            "messages_function_and_developer",
            "messages_image_in_history",
            "messages_input_text",
            "messages_model_parts",
            "messages_null_content",
            "messages_parts_history",
            "messages_tool_last",
            "messages_tool_result_of_user",
            "messages_unreadable_history",
        ),
        HISTORY,
    ),
}


def load(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8"))


def handle(bot: FakeBot, event: object, **env: str) -> dict:
    return make_handler(bot, env, log=lambda _: None)(event, None)


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_accepted(path):
    bot = FakeBot()
    response = handle(bot, load(path))
    body = json.loads(response["body"])
    assert response["statusCode"] == 200
    assert body["reply"] == body["message"] == body["response"] == "いらっしゃい。"
    [request] = bot.requests
    if path.stem == "longest":
        assert len(request.text) == 4000
        return
    assert request.text == "こんばんは"
    assert request.session_id == "seat-7"
    assert request.history == WITH_HISTORY.get(path.stem, ())
    expected = {"name": "太郎", "visits": 3, "regular": True} if path.stem == "attributes" else {}
    assert request.client == expected


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_refused(path):
    status, _, code = path.stem.partition("__")[0].partition("_")
    bot = FakeBot()
    response = handle(bot, load(path))
    body = json.loads(response["body"])
    assert (response["statusCode"], body["code"]) == (int(status), code)
    assert set(body) == {"error", "code"}
    assert body["error"][0] == "`" or body["error"][0].islower()
    assert not body["error"].endswith(".")
    assert bot.requests == []


def test_every_field_and_every_status_is_covered():
    codes = {path.stem.partition("__")[0] for path in REFUSED}
    for field in ("input", "message", "conversation", "messages"):
        assert {f"400_{field}_type", f"400_{field}_empty"} <= codes
    assert {path.stem[:3] for path in REFUSED} == {"400", "404", "405", "413"}
