"""A turn on its way from one provider to the next, through `misaki serve` and real servers on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.processes import chat_model_server, ministack, served
from tools.lambda_emulator import free_port

SENTENCE = "最近、猫を飼い始めたんだ"
PIPELINE = """
version: 1
name: escalation
locale: ja
timezone: Asia/Tokyo
deadline: 60s
persona: {{name: 美砂樹}}
replies: [replies.yml]
models:
  local: {{backend: auto, path: "${{LOCAL_LLM_MODEL:}}"}}
  openai: {{backend: openai, model: smollm2, base_url: "${{OPENAI_BASE_URL:}}", max_tokens: 8}}
  bedrock: {{backend: bedrock, model: amazon.nova-lite-v1:0, region: us-east-1, base_url: "{bedrock}"}}
  huggingface: {{backend: huggingface, model: anything}}
steps:
  - {{id: small_talk, kind: generate, model: local, prompt: prompt.j2}}
  - {{id: ask_large, kind: generate, models: [openai, bedrock, huggingface], prompt: prompt.j2}}
  - {{id: sorry, kind: say, reply: out_of_words, when: env.LOCAL_LLM_ALLOW_FALLBACK}}
"""
REPLIES = """
replies:
  - id: out_of_words
    say: [ごめんなさいね]
"""
KEYS = {
    "OPENAI_API_KEY": "sk-canary-8c1f",
    "BEDROCK_CREDENTIALS": '{"access_key_id": "nobody", "secret_access_key": "canary-5d20"}',
}


@pytest.fixture(scope="module")
def bedrock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ministack(free_port(), tmp_path_factory.mktemp("ministack")) as url:
        yield url


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory, bedrock: str) -> Path:
    folder = tmp_path_factory.mktemp("escalation")
    (folder / "prompt.j2").write_text("You are {{ persona.name }}.", encoding="utf-8")
    (folder / "replies.yml").write_text(REPLIES, encoding="utf-8")
    file = folder / "pipeline.yml"
    file.write_text(PIPELINE.format(bedrock=bedrock), encoding="utf-8")
    return file


def ask(url: str) -> tuple[int, dict[str, Any]]:
    response = httpx.post(f"{url}/chat", json={"input": SENTENCE}, timeout=90.0)
    return response.status_code, response.json()


def reasons(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(escalation["model"], escalation["reason"]) for escalation in answer["escalations"]]


def test_without_a_local_model_the_first_provider_answers_and_without_it_the_next(
    pipeline: Path, smollm2_path: Path
) -> None:
    with chat_model_server(smollm2_path) as (server, process):
        env = KEYS | {"OPENAI_BASE_URL": f"{server}/v1", "USE_LOCAL_LLM": "true"}
        with served("--pipeline", str(pipeline), env=env) as bot:
            status, answer = ask(bot.url)
            assert (status, answer["engine"], answer["model"]) == (200, "external", "smollm2")
            assert answer["reply"] == answer["message"]
            assert reasons(answer) == [("local", "error")]

            process.kill()
            process.wait()
            status, answer = ask(bot.url)
            assert (status, answer["engine"]) == (200, "external")
            assert answer["model"].startswith("amazon.nova")
            assert reasons(answer) == [("local", "error"), ("openai", "error")]


@pytest.mark.parametrize("setting", ["false", "true"])
def test_with_no_provider_left_the_apology_is_said_where_it_is_allowed(pipeline: Path, setting: str) -> None:
    nobody = {"OPENAI_BASE_URL": f"http://127.0.0.1:{free_port()}/v1", "BEDROCK_CREDENTIALS": "{broken"}
    env = KEYS | nobody | {"LOCAL_LLM_ALLOW_FALLBACK": setting}
    with served("--pipeline", str(pipeline), env=env) as bot:
        status, answer = ask(bot.url)
        health = httpx.get(f"{bot.url}/health", timeout=90.0).text
    if setting == "true":
        assert (status, answer["engine"], answer["reply"]) == (200, "fallback", "ごめんなさいね")
    else:
        assert (status, answer["code"]) == (503, "no_answer")
        assert "`ask_large` with openai gave up (error)" in answer["error"]
    assert [model for model, _ in reasons(answer)] == ["local", "openai", "bedrock", "huggingface"]
    assert "canary" not in health + str(answer)
