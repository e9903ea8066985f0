from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from engine.core.deadline import Deadline
from engine.core.turn import Message
from engine.models.local.worker.answering import Answerer, choose_layout
from engine.models.local.worker.inference import DoesNotFit, Generation, LoadError, OutOfTime, Request
from engine.models.local.worker.start import LocalSettings
from tests.fakes.clock import FakeClock
from tests.unit.models.local.worker.test_chat_template import METADATA
from tests.unit.models.local.worker.test_layout import PROMPT

BASE = replace(METADATA, chat_template=None)
SETTINGS = LocalSettings(path="tiny.gguf", context=300, max_tokens=50)


@dataclass
class FakeEngine:
    """Counts characters as tokens; refuses what is longer than `really_fits`, however short it counted."""

    text: str = " いらっしゃい。"
    finish_reason: str = "stop"
    really_fits: int = 10**6
    requests: list[Request] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    version: str = "fake 1"

    def count(self, text: str) -> int:
        return len(text)

    def prepare(self, text: str, prefix: int, interrupted: Callable[[], bool]) -> bool:
        self.prepared.append(text[:prefix])
        return not interrupted()

    def generate(self, request: Request) -> Generation:
        if len(request.text) > self.really_fits:
            raise DoesNotFit
        if request.deadline.passed:
            raise OutOfTime
        self.requests.append(request)
        return Generation(
            text=self.text,
            finish_reason=self.finish_reason,
            prompt_tokens=len(request.text),
            completion_tokens=4,
            confidence=0.5,
        )


def answerer(engine: FakeEngine, settings: LocalSettings = SETTINGS) -> Answerer:
    return Answerer(engine, choose_layout(settings, BASE), settings)


def soon() -> Deadline:
    return Deadline.after(5.0, FakeClock())


def test_an_answer():
    engine = FakeEngine()
    completion = answerer(engine, replace(SETTINGS, stop=("。",))).answer(PROMPT, soon())
    assert (completion.text, completion.finish_reason, completion.confidence) == ("いらっしゃい。", "stop", 0.5)
    (request,) = engine.requests
    assert request.max_tokens == 50
    assert {"\n", "。"} <= set(request.stop)


def test_a_cut_answer_says_so_and_keeps_its_whole_sentences():
    completion = answerer(FakeEngine("寒いわね。熱い", "deadline")).answer(PROMPT, soon())
    assert (completion.text, completion.finish_reason) == ("寒いわね。", "deadline")


def test_history_gives_way_first():
    engine = FakeEngine()
    long = replace(PROMPT, history=tuple(Message("user", f"{number}" * 60) for number in range(5)))
    answerer(engine).answer(long, soon())
    text = engine.requests[0].text
    assert "4" * 60 in text
    assert "0" * 60 not in text
    assert "お茶をどうぞ。" in text


def test_history_gives_way_too_where_only_the_engine_knows_that_it_is_too_long():
    engine = FakeEngine(really_fits=110)
    answerer(engine).answer(replace(PROMPT, history=PROMPT.history * 3), soon())
    assert len(engine.requests[0].text) <= 110


def test_what_does_not_fit_without_history_is_an_error():
    with pytest.raises(DoesNotFit):
        answerer(FakeEngine()).answer(replace(PROMPT, text="あ" * 300), soon())


def test_the_persona_leaves_room_for_the_conversation():
    engine = FakeEngine()
    many = replace(PROMPT, examples=PROMPT.examples * 50)
    answerer(engine).answer(many, soon())
    prefix = engine.requests[0].prefix
    assert 100 < prefix <= 250 * 0.75


def test_examples_do_not_change_with_the_conversation():
    engine = FakeEngine()
    many = replace(PROMPT, examples=PROMPT.examples * 50)
    subject = answerer(engine)
    subject.answer(many, soon())
    subject.answer(replace(many, history=(), text="あ" * 40), soon())
    first, second = engine.requests
    assert first.text[: first.prefix] == second.text[: second.prefix]


def test_the_persona_can_be_prepared():
    engine = FakeEngine()
    subject = answerer(engine)
    assert subject.prepare(PROMPT, bool)
    subject.answer(PROMPT, soon())
    request = engine.requests[0]
    assert engine.prepared == [request.text[: request.prefix]]


def test_a_persona_that_does_not_fit_is_not_evaluated_ahead():
    engine = FakeEngine()
    with pytest.raises(DoesNotFit):
        answerer(engine).prepare(replace(PROMPT, system="x" * 300), bool)
    assert engine.prepared == []


def test_layouts_follow_the_model_and_the_style():
    assert choose_layout(SETTINGS, METADATA).style == "chat"
    assert choose_layout(SETTINGS, BASE).style == "raw"
    assert choose_layout(replace(SETTINGS, style="raw"), METADATA).style == "raw"


def test_a_template_that_does_not_work_makes_a_transcript():
    broken = replace(METADATA, chat_template="{{ nothing.here }}")
    assert choose_layout(SETTINGS, broken).style == "raw"
    with pytest.raises(LoadError, match="chat template"):
        choose_layout(replace(SETTINGS, style="chat"), broken)
    with pytest.raises(LoadError, match="has none"):
        choose_layout(replace(SETTINGS, style="chat"), BASE)
