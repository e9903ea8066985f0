from __future__ import annotations

import pytest

from engine.core.deadline import Deadline
from engine.core.errors import RateLimited, TimedOut, Unavailable
from engine.core.plan import ModelRow
from engine.core.turn import Completion, Labels, Prompt
from engine.models.registry import open_model
from engine.models.scripted import Answer, ScriptedModel
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
    with pytest.raises(Unavailable, match="at its end"):
        model.generate(prompt(), soon())


def test_a_row_holds_texts():
    model = opened(("一", "二"))
    assert [model.generate(prompt(), soon()).text for _ in range(2)] == ["一", "二"]
    assert model.status().state == "ready"


def test_a_row_without_texts_has_no_answer():
    with pytest.raises(Unavailable, match="at its end"):
        opened(None).generate(prompt(), soon())


def test_time_is_spent_on_the_clock_that_was_handed_in():
    clock = FakeClock()
    model = ScriptedModel([Answer(result=HELLO, seconds=3.0)] * 2, spend=clock.advance)
    deadline = soon(clock)
    assert model.generate(prompt(), deadline) == HELLO
    assert deadline.remaining() == 1.0
    with pytest.raises(TimedOut):
        model.generate(prompt(), deadline)
    assert deadline.passed


def test_a_misconfigured_row_is_unavailable():
    with pytest.raises(Unavailable, match="FOO is not set"):
        opened(("はい。",), misconfigured="FOO is not set").generate(prompt(), soon())
