"""A real local model that is slow, with a provider beside it: who wins, and that the other one really stops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.backends.local import LocalModel
from engine.model.deadline import Deadline
from engine.running.guarded import make_guard
from tests.acceptance.counting import AS_YAML, counting_model, prompt
from tests.chaos.bot import Answer, make_bot, make_plan
from tests.faults import behaviours, wires
from tests.faults.peer import Peer
from tests.faults.stage import loaded

PIPELINE = """
version: 1
name: counting
locale: en
deadline: {deadline}s
persona: {{name: Bot, examples: {examples}}}
replies: [replies.yml]
models: {{local: {{backend: auto, path: anywhere.gguf}}, openai: {{backend: openai, model: speaker}}}}
steps:
  - {{id: ask, kind: generate, models: [{order}], prompt: prompt.j2, hedge: 5%}}
"""
REPLIES = "replies: [{id: hello, match: [hello], say: [Hello]}]"
AMPLE, BRIEF = 30.0, 8.0


@pytest.fixture(scope="module")
def local(gemma_path: Path) -> Iterator[LocalModel]:
    with counting_model(gemma_path) as model:
        yield model


def ask(local: LocalModel, url: str, *order: str, seconds: float) -> Answer:
    pipeline = PIPELINE.format(deadline=seconds, examples=AS_YAML, order=", ".join(order))
    plan = make_plan(pipeline.replace("prompt.j2", "count.j2"), REPLIES, {}, count="Count.")
    models = {"local": local, "openai": make_guard()(loaded("openai", url), "openai")}
    return make_bot(plan, models).ask("5000")


def test_a_provider_wins_and_the_local_model_stops_counting(local: LocalModel) -> None:
    with Peer([behaviours.respond(wires.answer("openai"))]) as peer:
        answer = ask(local, peer.url, "local", "openai", seconds=AMPLE)
    assert (answer.body["engine"], answer.body["reply"]) == ("external", wires.REPLY)
    assert answer.body["escalations"] == [{"step": "ask", "reason": "slow", "model": "local"}]
    assert answer.body["usage"]["cancelled_calls"] == 1

    # Were it still counting, it would be busy for longer than this.
    counted = local.generate(prompt("5000"), Deadline.after(BRIEF))
    assert counted.text.startswith("1 2 3 4 5")
    assert local.status().data["starts"] == 1


def test_a_local_model_wins_and_the_provider_is_left(local: LocalModel) -> None:
    with Peer([behaviours.silence]) as peer:
        answer = ask(local, peer.url, "openai", "local", seconds=BRIEF)
        peer.settle()
    assert answer.body["engine"] == "local"
    assert answer.body["escalations"] == [{"step": "ask", "reason": "slow", "model": "openai"}]
    assert [event["data"]["model"] for event in answer.body["trace"] if event["event"] == "cancelled"] == ["openai"]
