from __future__ import annotations

import pytest

from engine.backends.registry import open_model
from engine.backends.scripted import ERRORS, Answer, ScriptedModel
from engine.model.deadline import Deadline
from engine.model.errors import RateLimited, TimedOut, Unavailable
from engine.model.plan import ModelRow
from engine.model.turn import Completion, Labels, Prompt
from tests.fakes.clock import FakeClock

HELLO = Completion(text="いらっしゃい。", finish_reason="stop", model="scripted")


def prompt(text: str = "こんばんは") -> Prompt:
    return Prompt(system="", examples=(), history=(), text=text, labels=Labels("お客さん", "美砂樹"))


def soon(clock=None) -> Deadline:
    return Deadline.after(4.0, clock or FakeClock())


def opened(answers, misconfigured=None):
    row = ModelRow(id="small", backend="scripted", settings={"answers": answers}, misconfigured=misconfigured)
    return open_model(row, {})


def test_answers_in_turn():
    limited = RateLimited("slow down", backend="scripted", retry_after=2.0)
    model = ScriptedModel([Answer(result=HELLO), Answer(result=limited)])
    assert model.generate(prompt(), soon()) == HELLO
    with pytest.raises(RateLimited) as caught:
        model.generate(prompt("next"), soon())
    assert caught.value is limited
    with pytest.raises(Unavailable, match="no answer"):
        model.generate(prompt(), soon())
    assert [asked.text for asked in model.prompts][:2] == ["こんばんは", "next"]


def test_answers_by_text():
    model = opened(
        {"こんばんは": "いらっしゃい。", "*": {"text": "あら。", "confidence": 0.1, "finish_reason": "length"}}
    )
    assert model.generate(prompt(), soon()).text == "いらっしゃい。"
    other = model.generate(prompt("やあ"), soon())
    assert (other.text, other.confidence, other.finish_reason, other.model) == ("あら。", 0.1, "length", "small")
    assert model.status().state == "ready"


def test_one_text_answers_everything():
    model = opened("はい。")
    assert {model.generate(prompt(text), soon()).text for text in "abc"} == {"はい。"}


def test_a_list_of_answers():
    model = opened(("一", {"error": "TimedOut", "message": "too slow"}))
    assert model.generate(prompt(), soon()).text == "一"
    with pytest.raises(TimedOut, match="too slow"):
        model.generate(prompt(), soon())


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_error_can_be_played(name):
    with pytest.raises(ERRORS[name]):
        opened(({"error": name},)).generate(prompt(), soon())


def test_time_is_spent_on_the_clock_that_was_handed_in():
    clock = FakeClock()
    model = ScriptedModel({"*": Answer(result=HELLO, seconds=3.0)}, spend=clock.advance)
    deadline = soon(clock)
    assert model.generate(prompt(), deadline) == HELLO
    assert deadline.remaining() == 1.0
    with pytest.raises(TimedOut):
        model.generate(prompt(), deadline)
    assert deadline.passed


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (5, "neither a text nor a mapping"),
        (({"error": "Boom"},), "give one of AuthFailed"),
        (({"text": "a", "mood": "b"},), "no completion has"),
    ],
)
def test_a_script_that_cannot_be_played_is_unavailable(answers, words):
    with pytest.raises(Unavailable, match=words):
        opened(answers).generate(prompt(), soon())


def test_a_misconfigured_row_is_unavailable():
    with pytest.raises(Unavailable, match="FOO is not set"):
        opened("はい。", misconfigured="FOO is not set").generate(prompt(), soon())


def test_closing_is_remembered():
    model = opened("はい。")
    model.close()
    assert model.closed
