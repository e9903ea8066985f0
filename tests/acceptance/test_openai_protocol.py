"""OpenAI's own client and the AI SDK, unmodified, against the shipped bot."""

import json
import shutil
import subprocess

import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from tests.acceptance.processes import served
from tests.needs import AI_SDK, AI_SDK_SOURCE

TALK = ("こんばんは", "レモンサワーください", "それって高いの？", "じゃあそれで", "おやすみ")


@pytest.fixture(scope="module")
def client():
    with served() as running, OpenAI(base_url=f"{running.url}/v1", api_key="none", timeout=60) as opened:
        yield opened


@pytest.fixture
def model(client):
    [only] = client.models.list().data
    return only.id


def test_a_talk_of_five_turns(client, model):
    messages = []
    for text in TALK:
        messages.append({"role": "user", "content": text})
        answer = client.chat.completions.create(model=model, messages=messages, temperature=0.2, user="guest")
        said = answer.choices[0].message.content
        assert said
        assert answer.usage.total_tokens >= 0
        messages.append({"role": "assistant", "content": said})
    assert "800円" in messages[5]["content"]


def test_the_same_talk_streamed(client, model):
    messages = []
    for text in TALK:
        messages.append({"role": "user", "content": text})
        stream = client.chat.completions.create(
            model=model, messages=messages, stream=True, stream_options={"include_usage": True}
        )
        parts = list(stream)
        said = "".join(part.choices[0].delta.content or "" for part in parts if part.choices)
        assert said
        assert next(part.usage for part in parts if part.usage).total_tokens >= 0
        messages.append({"role": "assistant", "content": said})


def test_refusals_are_the_client_s_own_errors(client, model):
    hello = [{"role": "user", "content": "こんばんは"}]
    with pytest.raises(NotFoundError, match="no such model"):
        client.chat.completions.create(model="gpt-0", messages=hello)
    with pytest.raises(BadRequestError, match="`n` must be 1"):
        client.chat.completions.create(model=model, messages=hello, n=2)


@pytest.mark.needs("the AI SDK")
@pytest.mark.parametrize("how", ["whole", "streamed"])
def test_the_same_talk_through_the_ai_sdk(client, model, how):
    shutil.copy(AI_SDK_SOURCE / "talk.mjs", AI_SDK)
    command = ["node", "talk.mjs", str(client.base_url).rstrip("/"), model, how, *TALK]
    done = subprocess.run(command, cwd=AI_SDK, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    turns = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(turns) == len(TALK)
    assert all(turn["text"] and turn["finishReason"] == "stop" for turn in turns)
    assert "800円" in turns[2]["text"]
    assert all("".join(turn["parts"]) == (turn["text"] if how == "streamed" else "") for turn in turns)
