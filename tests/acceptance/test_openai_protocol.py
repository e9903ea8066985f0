"""OpenAI's own client and the AI SDK, unmodified, and SillyTavern's requests, against the shipped bot."""

import json
import shutil
import subprocess

import httpx
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


SILLY_TAVERN = {
    "accept": "*/*",
    "accept-encoding": "gzip, deflate, br",
    "authorization": "Bearer",
    "content-type": "application/json",
    "user-agent": "node-fetch",
    "connection": "close",
}
"""What SillyTavern 1.19.0 sends, as recorded between it and this bot, for a custom endpoint without a key; but for
the space behind `Bearer`, which no server reads and this client does not send.
"""

SILLY_TAVERN_STEERS = {
    "temperature": 1,
    "max_tokens": 300,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "top_p": 1,
}
CARD = [
    {"role": "system", "content": "Write Sera's next reply in a fictional chat between Sera and Guest."},
    {
        "role": "system",
        "content": '[Sera\'s Personality= "caring"]\n<START>\nGuest: "Who are you?"\nSera: "A guardian."',
    },
    {"role": "system", "content": "[Start a new Chat]"},
    {"role": "assistant", "content": "*You wake with a start.*"},
]


@pytest.fixture
def tavern(client):
    with httpx.Client(base_url=str(client.base_url), headers=SILLY_TAVERN, timeout=60) as opened:
        yield opened


def test_sillytavern_finds_the_bot_and_talks_streamed_and_not(tavern):
    [only] = tavern.get("models").raise_for_status().json()["data"]
    messages, said = list(CARD), []
    for number, text in enumerate(TALK):
        messages.append({"role": "user", "content": text})
        asked = {"messages": messages, "model": only["id"], **SILLY_TAVERN_STEERS, "stream": number % 2 == 0}
        answer = tavern.post("chat/completions", json=asked).raise_for_status()
        said.append(_streamed(answer.text) if asked["stream"] else answer.json()["choices"][0]["message"]["content"])
        messages.append({"role": "assistant", "content": said[-1]})
    assert all(said)
    assert "800円" in said[2]


def test_sillytavern_may_stop_an_answer_and_ask_again(tavern, model):
    asked = {"messages": [*CARD, {"role": "user", "content": TALK[0]}], "model": model, **SILLY_TAVERN_STEERS}
    with tavern.stream("POST", "chat/completions", json={**asked, "stream": True}) as answer:
        assert next(answer.iter_text()).startswith("data: ")
    assert tavern.post("chat/completions", json={**asked, "stream": False}).status_code == 200


def _streamed(body: str) -> str:
    *frames, last, _ = body.split("\n\n")
    assert last == "data: [DONE]"
    choices = [json.loads(frame.removeprefix("data: "))["choices"] for frame in frames]
    return "".join(one[0]["delta"].get("content") or "" for one in choices if one)
