"""A real model that is still speaking when its time is over: what a pipeline makes of the words that are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.core.deadline import LEAST
from engine.core.ports import LanguageModel
from tests.acceptance.counting import AS_YAML, counting_model
from tests.chaos.bot import Answer, make_bot, make_plan
from tests.fakes.plans import FakeModel

PIPELINE = """
version: 1
name: counting
locale: en
deadline: {deadline}s
persona: {{name: Bot, examples: {examples}}}
replies: [replies.yml]
models: {{local: {{backend: auto, path: anywhere.gguf}}, large: {{backend: scripted, answers: [five thousand]}}}}
steps:
  - {{id: count, kind: generate, model: local, prompt: prompt.j2, escalate_when: [{objections}]}}
  - {{id: ask_large, kind: generate, model: large, prompt: prompt.j2, when: text == '8000'}}
  - {{id: sorry, kind: say, reply: sorry}}
"""
REPLIES = "replies: [{id: sorry, say: [Sorry]}]"
FEW_SECONDS = 5.0


@pytest.fixture(scope="module")
def model(gemma_path: Path) -> Iterator[LanguageModel]:
    with counting_model(gemma_path) as opened:
        yield opened


def count(model: LanguageModel, *objections: str, text: str = "5000", large: LanguageModel | None = None) -> Answer:
    pipeline = PIPELINE.format(deadline=FEW_SECONDS, examples=AS_YAML, objections=", ".join(objections))
    plan = make_plan(pipeline.replace("prompt.j2", "count.j2"), REPLIES, {}, count="Count.")
    return make_bot(plan, {"local": model, "large": large or FakeModel("nobody asks")}).ask(text)


def finish_reasons(answer: Answer) -> list[str]:
    return [event["data"]["finish_reason"] for event in answer.body["trace"] if event["event"] == "generated"]


def test_a_pipeline_that_does_not_object_says_the_partial_text(model):
    answer = count(model, "refusal")
    assert (answer.status, answer.end, answer.body["escalations"]) == (200, "local", [])
    assert answer.body["reply"].startswith("1 2")
    assert finish_reasons(answer) == ["deadline"]


def test_a_pipeline_that_lists_truncated_goes_on(model):
    answer = count(model, "truncated")
    assert (answer.status, answer.end) == (200, "fallback")
    assert answer.body["escalations"] == [{"step": "count", "reason": "truncated", "model": "local"}]
    assert finish_reasons(answer) == ["deadline"]


def test_a_later_model_keeps_the_time_it_needs(model):
    large = FakeModel("5000")
    answer = count(model, "truncated", text="8000", large=large)
    assert (answer.end, answer.body["reply"]) == ("external", "5000")
    assert [left >= LEAST for _, left in large.asked] == [True]
