"""OpenAI's protocol: what is answered, what is left aside, and what is refused in its words."""

import json

import pytest

from engine.api.policy import Policy
from engine.api.request import Request
from engine.api.response import Response
from engine.api.service import make_service
from tests.fakes.bots import CANNED, LOCAL, NOTHING, FakeBot

HELLO = {"role": "user", "content": "こんばんは"}
WHOLE = {"model": "fake", "messages": [HELLO]}
STREAM = WHOLE | {"stream": True}
SESAME = "open-sesame"
CHAT = "/v1/chat/completions"


def ask(payload=None, bot: FakeBot | None = None, path: str = CHAT, method: str = "POST", **env: str) -> Response:
    records: list[object] = []
    service = make_service(bot or FakeBot(), Policy.from_env(env), records.append)
    body = None if payload is None else json.dumps(payload)
    response = service(Request(method=method, path=path, body=body), None, "1").whole()
    assert len(records) == 1
    return response


def answer(payload=None, **more) -> dict[str, object]:
    return json.loads(ask(payload, **more).body)


def chunks(response: Response) -> list[dict[str, object]]:
    *lines, last, empty = response.body.split("\n\n")
    assert (last, empty) == ("data: [DONE]", "")
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def test_the_pipeline_is_the_model():
    assert [one["id"] for one in answer(path="/v1/models", method="GET")["data"]] == ["fake"]
    assert answer(path="/v1/models/fake", method="GET")["object"] == "model"
    assert answer(path="/v1/models/gpt-9", method="GET")["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("outcome", [CANNED, LOCAL])
def test_a_whole_answer(outcome):
    found = answer(WHOLE, bot=FakeBot(outcome))
    [choice] = found["choices"]
    assert found["object"] == "chat.completion"
    assert choice["message"] == {"role": "assistant", "content": outcome.reply, "refusal": None}
    assert choice["finish_reason"] == "stop"
    assert found["usage"]["total_tokens"] == (49 if outcome is LOCAL else 0)
    assert found["misaki"]["step"] == outcome.step


def test_a_stream_says_the_same_in_parts():
    first, *words, last, usage = chunks(ask(STREAM | {"stream_options": {"include_usage": True}}, FakeBot(LOCAL)))
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(one["choices"][0]["delta"]["content"] for one in words) == LOCAL.reply
    assert last["choices"][0]["finish_reason"] == "stop"
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 49)
    assert {one["object"] for one in (first, *words, last, usage)} == {"chat.completion.chunk"}
    assert len({one["id"] for one in (first, *words, last, usage)}) == 1


def test_usage_comes_only_where_it_is_asked_for():
    assert not any("usage" in one for one in chunks(ask(STREAM)))


@pytest.mark.parametrize(
    "more",
    [
        {"temperature": 2, "top_p": 0, "seed": 1, "stop": ["。"], "max_tokens": 1, "user": "u", "logit_bias": {}},
        {"tools": [{"type": "function"}], "tool_choice": "auto", "n": 1, "response_format": {"type": "json_object"}},
        {"unknown": {"deep": [1]}, "input": "something else", "debug": "yes", "turn_key": 7, "session_id": 9},
        {"stream_options": "none", "metadata": None, "n": None},
    ],
)
def test_what_steers_a_model_is_left_aside(more):
    bot = FakeBot()
    assert ask(WHOLE | more, bot).status == 200
    assert bot.requests[0].text == "こんばんは"


def test_system_prompts_are_left_aside_and_parts_are_read():
    bot = FakeBot()
    parts = [{"type": "text", "text": "寒いね"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    ask(
        WHOLE
        | {
            "messages": [
                {"role": "system", "content": "You are a pirate."},
                {"role": "developer", "content": "Obey."},
                HELLO,
                {"role": "assistant", "content": "いらっしゃい。"},
                {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
                {"role": "tool", "content": "42"},
                {"role": "user", "content": parts},
            ]
        },
        bot,
    )
    [request] = bot.requests
    assert request.text == "寒いね"
    assert [message.text for message in request.history] == ["こんばんは", "いらっしゃい。"]


@pytest.mark.parametrize(
    ("payload", "status", "param", "code"),
    [
        (WHOLE | {"model": "gpt-4o"}, 404, "model", "model_not_found"),
        ({"messages": [HELLO]}, 400, "model", "model_missing"),
        (WHOLE | {"model": 7}, 400, "model", "model_missing"),
        (WHOLE | {"n": 2}, 400, "n", "n_unsupported"),
        (WHOLE | {"tool_choice": "required"}, 400, "tool_choice", "tool_choice_unsupported"),
        (WHOLE | {"tool_choice": {"type": "function"}}, 400, "tool_choice", "tool_choice_unsupported"),
        (WHOLE | {"stream": "yes"}, 400, "stream", "stream_type"),
        (WHOLE | {"messages": []}, 400, "messages", "messages_missing"),
        (WHOLE | {"messages": "hi"}, 400, "messages", "messages_missing"),
        (WHOLE | {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "messages", None),
        ([], 400, None, "body_not_object"),
    ],
)
def test_refusals_are_openai_s(payload, status, param, code):
    response = ask(payload)
    error = json.loads(response.body)["error"]
    assert (response.status, error["param"], error["type"]) == (status, param, "invalid_request_error")
    assert code in (None, error["code"])
    assert error["message"]


def test_refusals_of_other_kinds_are_openai_s_too():
    assert answer(method="GET")["error"]["code"] == "method_not_allowed"
    refused = ask(WHOLE, CLIENT_TOKEN=SESAME)
    assert (refused.status, json.loads(refused.body)["error"]["code"]) == (401, "authorization_invalid")


@pytest.mark.parametrize("bot", [FakeBot(NOTHING), FakeBot(failure=RuntimeError("secret"))])
def test_no_answer(bot):
    whole, parts = ask(WHOLE, bot), ask(STREAM, bot)
    assert (whole.status, parts.status) == (503, 200)
    assert json.loads(whole.body)["error"]["type"] == "server_error"
    *_, last, empty = parts.body.split("\n\n")
    assert json.loads(last.removeprefix("data: "))["error"]["type"] == "server_error"
    assert (empty, "secret" in whole.body + parts.body) == ("", False)


TASK = (
    "### Task:\nGenerate {}.\n### Output:\nJSON format: {{ {} }}\n<chat_history>\nUSER: 今日は寒いね\n</chat_history>"
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (TASK.format("a title", '"title": "your title"'), {"title": "今日は寒いね"}),
        (TASK.format("tags", '"tags": ["tag1"]'), {"tags": []}),
        (TASK.format("follow-ups", '"follow_ups": ["Question 1?"]'), {"follow_ups": []}),
        (TASK.format("queries", '"queries": ["query1"]'), {"queries": []}),
        (TASK.format("the rest", '"text": "…"'), {"text": ""}),
        ("\n### Task:\nSomething new.", {"text": ""}),
    ],
)
def test_chores_of_front_ends_take_no_turn(text, wanted):
    bot = FakeBot()
    asked = WHOLE | {"messages": [HELLO, {"role": "user", "content": text}]}
    whole = answer(asked, bot=bot)
    parts = chunks(ask(asked | {"stream": True}, bot))
    assert json.loads(whole["choices"][0]["message"]["content"]) == wanted
    assert json.loads("".join(one["choices"][0]["delta"].get("content", "") for one in parts)) == wanted
    assert bot.requests == []
