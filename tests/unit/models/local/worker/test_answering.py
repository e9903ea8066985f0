from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.core.turn import Completion, Message, Prompt
from engine.models.local.worker.answering import Answerer, choose_layout
from engine.models.local.worker.gguf import Metadata
from engine.models.local.worker.inference import DoesNotFit, Generation, LoadError, OutOfTime, Request
from engine.models.local.worker.start import LocalSettings
from engine.models.local.worker.stream import Stream
from tests.unit.models.local.worker.test_chat_template import METADATA
from tests.unit.models.local.worker.test_layout import PROMPT

T = TypeVar("T")
BASE = replace(METADATA, chat_template=None)
SETTINGS = LocalSettings(path="tiny.gguf", context=300, max_tokens=50)


PARTS = (
    "寒い",
    "ね",
    "。",
    "！",
    "Tea",
    ".",
    " ",
    "「",
    "」",
    '"',
    "…",
    "、",
    "<",
    "<think>",
    "<think>Tea.</think>",
    "美砂樹",
    ":",
    "\n",
)


@dataclass
class FakeEngine:
    """Counts characters as tokens; refuses what is longer than `really_fits`, however short it counted."""

    text: str = " いらっしゃい。"
    finish_reason: str = "stop"
    really_fits: int = 10**6
    requests: list[Request] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    version: str = "fake 1"
    steps: int = 0

    def count(self, text: str) -> int:
        return len(text)

    parallel: int = 2
    confidences: tuple[float, ...] = (0.5, 0.7, 0.6)

    def prepare(self, request: Request) -> Generator[None]:
        self.prepared.append(request.text[: request.prefix])
        yield

    def step(self) -> None:
        self.steps += 1

    def generate(self, request: Request) -> Generator[None, None, Generation]:
        if len(request.text) > self.really_fits:
            raise DoesNotFit
        if request.over():
            raise OutOfTime
        self.requests.append(request)
        stream = Stream(())
        for letter in self.text:
            yield
            stream.add(letter.encode())
            request.on_text(stream, 0.25)
        return Generation(
            text=self.text,
            finish_reason=self.finish_reason,
            prompt_tokens=len(request.text),
            completion_tokens=4,
            confidence=self.confidences[request.attempt],
        )


def answerer(engine: FakeEngine, settings: LocalSettings = SETTINGS, metadata: Metadata = BASE) -> Answerer:
    return Answerer(engine, choose_layout(settings, metadata), settings)


def done(subject: Answerer, turn: Generator[None, None, T]) -> T:
    """What the turn comes to, with a step between its parts."""
    while True:
        try:
            next(turn)
        except StopIteration as end:
            return end.value
        subject.step()


def answer(subject: Answerer, prompt: Prompt = PROMPT, **options: Any) -> Completion:
    return done(subject, subject.answer(prompt, bool, **options))


def test_an_answer():
    engine = FakeEngine()
    completion = answer(answerer(engine, replace(SETTINGS, stop=("ね",))))
    assert (completion.text, completion.finish_reason, completion.confidence) == ("いらっしゃい。", "stop", 0.5)
    (request,) = engine.requests
    assert request.max_tokens == 50
    assert {"\n", "ね"} <= set(request.stop)


def test_a_cut_answer_says_so_and_keeps_its_whole_sentences():
    completion = answer(answerer(FakeEngine("寒いわね。熱い", "deadline")))
    assert (completion.text, completion.finish_reason) == ("寒いわね。", "deadline")


def test_the_surest_of_several_answers_is_taken():
    engine = FakeEngine(parallel=3)
    subject = answerer(engine, replace(SETTINGS, best_of=3))
    assert answer(subject).confidence == 0.7
    assert engine.steps == len(engine.text)
    assert subject.parallel == 1


def test_an_answer_that_ended_is_taken_before_a_surer_one_that_was_cut():
    class Cut(FakeEngine):
        def generate(self, request):
            self.finish_reason = "length" if request.attempt == 1 else "stop"
            return super().generate(request)

    subject = answerer(Cut(parallel=3), replace(SETTINGS, best_of=3))
    assert answer(subject).finish_reason == "stop"


def test_sentences_are_told_as_soon_as_the_next_one_has_begun():
    told = []
    text = "美砂樹: 寒いわね。<think>何にしよう。</think>熱いお茶がいい？どう「ぞ。」ゆっくり"
    completion = answer(answerer(FakeEngine(text), metadata=METADATA), tell=lambda *said: told.append(said))
    assert told == [
        ("寒いわね。", 0.25),
        ("寒いわね。熱いお茶がいい？", 0.25),
        ("寒いわね。熱いお茶がいい？どう「ぞ。」", 0.25),
    ]
    assert completion.text == "寒いわね。熱いお茶がいい？どう「ぞ。」ゆっくり"


@example("」、寒い", "length")
@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join), st.sampled_from(("stop", "length")))
def test_what_was_told_stays(text, finish_reason):
    told = [""]
    subject = answerer(FakeEngine(text, finish_reason), metadata=METADATA)
    completion = answer(subject, tell=lambda said, _: told.append(said))
    assert all(later.startswith(earlier) for earlier, later in pairwise([*told, completion.text]))


def test_history_gives_way_first():
    engine = FakeEngine()
    long = replace(PROMPT, history=tuple(Message("user", f"{number}" * 60) for number in range(5)))
    answer(answerer(engine), long)
    text = engine.requests[0].text
    assert "4" * 60 in text
    assert "0" * 60 not in text
    assert "お茶をどうぞ。" in text


def test_history_gives_way_too_where_only_the_engine_knows_that_it_is_too_long():
    engine = FakeEngine(really_fits=110)
    answer(answerer(engine), replace(PROMPT, history=PROMPT.history * 3))
    assert len(engine.requests[0].text) <= 110


def test_what_does_not_fit_without_history_is_an_error():
    with pytest.raises(DoesNotFit):
        answer(answerer(FakeEngine()), replace(PROMPT, text="あ" * 300))


def test_the_persona_leaves_room_for_the_conversation():
    engine = FakeEngine()
    many = replace(PROMPT, examples=PROMPT.examples * 50)
    answer(answerer(engine), many)
    prefix = engine.requests[0].prefix
    assert 100 < prefix <= 250 * 0.75


def test_examples_do_not_change_with_the_conversation():
    engine = FakeEngine()
    many = replace(PROMPT, examples=PROMPT.examples * 50)
    subject = answerer(engine)
    answer(subject, many)
    answer(subject, replace(many, history=(), text="あ" * 40))
    first, second = engine.requests
    assert first.text[: first.prefix] == second.text[: second.prefix]


def test_the_persona_can_be_prepared():
    engine = FakeEngine()
    subject = answerer(engine)
    done(subject, subject.prepare(PROMPT))
    answer(subject, PROMPT)
    request = engine.requests[0]
    assert engine.prepared == [request.text[: request.prefix]]


def test_a_persona_that_does_not_fit_is_not_evaluated_ahead():
    engine = FakeEngine()
    subject = answerer(engine)
    with pytest.raises(DoesNotFit):
        done(subject, subject.prepare(replace(PROMPT, system="x" * 300)))
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
