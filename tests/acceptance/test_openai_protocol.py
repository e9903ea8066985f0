"""OpenAI's own client, unmodified, against the shipped bot."""

import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from tests.acceptance.processes import served

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
