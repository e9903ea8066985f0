"""The adapters against servers that others wrote: llama.cpp's OpenAI-compatible server and ministack's Bedrock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.core.deadline import Deadline
from engine.core.errors import ContextTooLong, TimedOut
from engine.core.plan import ModelRow
from engine.core.turn import Exchange, Labels, Message, Prompt
from engine.models.providers.external import ExternalModel
from engine.models.registry import open_model
from tests.acceptance.processes import chat_model_server, ministack
from tools.lambda_emulator import free_port

ENVIRONMENT = {
    "OPENAI_API_KEY": "no-key-is-checked-here",
    "HUGGINGFACE_TOKEN": "hf_no_token_is_checked_here",
    "BEDROCK_CREDENTIALS": '{"access_key_id": "nobody", "secret_access_key": "secret"}',
}
PROMPT = Prompt(
    system="You are the landlady of a small bar. Answer in one short sentence.",
    examples=(Exchange("Hello.", "Hello, dear."),),
    history=(Message("user", "Is it late?"), Message("assistant", "The night is young.")),
    text="Good evening! What do you serve?",
    labels=Labels("Guest", "Misaki"),
)
CHAT_BACKENDS = ("openai", "huggingface")


@pytest.fixture(scope="module")
def chat_server(smollm2_path: Path) -> Iterator[str]:
    with chat_model_server(smollm2_path) as (url, _):
        yield url


@pytest.fixture(scope="module")
def bedrock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ministack(free_port(), tmp_path_factory.mktemp("ministack")) as url:
        yield url


def chat_row(backend: str, server: str, **settings: float | bool) -> ModelRow:
    fixed = {"model": "smollm2", "base_url": f"{server}/v1", "temperature": 0.0, "max_tokens": 8}
    return ModelRow(id="large", backend=backend, settings={**fixed, **settings})


@pytest.mark.parametrize("backend", CHAT_BACKENDS)
def test_a_chat_model_answers(chat_server: str, backend: str) -> None:
    model = open_model(chat_row(backend, chat_server, logprobs=True, examples=1), ENVIRONMENT)
    completion = model.generate(PROMPT, Deadline.after(60.0))
    assert completion.text
    assert completion.finish_reason in {"stop", "length"}
    assert (completion.model, model.engine, model.status().state) == ("smollm2", "external", "ready")
    assert completion.prompt_tokens is not None
    assert completion.prompt_tokens > 40
    assert completion.completion_tokens is not None
    assert 0 < completion.completion_tokens <= 8
    assert completion.confidence is not None
    assert 0.0 < completion.confidence <= 1.0


@pytest.mark.parametrize("backend", CHAT_BACKENDS)
def test_a_cut_answer_says_so(chat_server: str, backend: str) -> None:
    model = open_model(chat_row(backend, chat_server, max_tokens=2), ENVIRONMENT)
    completion = model.generate(PROMPT, Deadline.after(60.0))
    assert (completion.finish_reason, completion.completion_tokens, completion.confidence) == ("length", 2, None)


@pytest.mark.parametrize("backend", CHAT_BACKENDS)
def test_a_prompt_that_does_not_fit_is_too_long(chat_server: str, backend: str) -> None:
    model = open_model(chat_row(backend, chat_server), ENVIRONMENT)
    endless = Prompt(system="word " * 2000, examples=(), history=(), text="Hello", labels=PROMPT.labels)
    with pytest.raises(ContextTooLong):
        model.generate(endless, Deadline.after(60.0))


@pytest.mark.parametrize("backend", CHAT_BACKENDS)
def test_a_server_too_slow_for_the_deadline_times_out(chat_server: str, backend: str) -> None:
    model = open_model(chat_row(backend, chat_server, max_tokens=400), ENVIRONMENT)
    assert isinstance(model, ExternalModel)
    model.warm().result()
    with pytest.raises(TimedOut):
        model.generate(PROMPT, Deadline.after(0.1))


def test_bedrock_answers(bedrock_server: str) -> None:
    settings = {"model": "apac.amazon.nova-lite-v1:0", "region": "ap-northeast-1", "base_url": bedrock_server}
    model = open_model(ModelRow(id="large", backend="bedrock", settings={**settings, "max_tokens": 8}), ENVIRONMENT)
    completion = model.generate(PROMPT, Deadline.after(60.0))
    assert completion.text
    assert (completion.finish_reason, completion.model) == ("stop", "apac.amazon.nova-lite-v1:0")
    assert completion.completion_tokens is not None
    assert completion.completion_tokens > 0
