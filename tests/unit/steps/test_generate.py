"""What becomes of the answer of a model that is asked, and of what it must not see."""

from __future__ import annotations

import pytest

from engine.chat.step_runner import run_steps
from engine.chat.trace import trace_entries
from engine.core.deadline import Deadline
from engine.core.errors import BackendError, BadRequest, Malformed, RateLimited, TimedOut, Unavailable
from engine.core.events import ModelFailed
from engine.core.plan import NamedDetector
from engine.core.record import replace
from engine.core.turn import Completion, Message
from tests.fakes.clock import FakeClock
from tests.fakes.plans import FakeModel, generate_step, plan, services, turn


def outcome(*models: FakeModel):
    named = dict(zip("abc", models, strict=False))
    the_plan = plan(generate_step("talk", *named))
    return run_steps(the_plan, turn("猫は好き？"), services(**named), Deadline.after(7.5, FakeClock()))


@pytest.mark.parametrize("text", ["いい名前", "いい名前ね。", "I cannot help with that.", "", " "])
def test_what_a_filter_has_cut_is_no_answer_whatever_a_pipeline_lists(text):
    cut = Completion(text=text, finish_reason="refusal", model="m")
    result = outcome(FakeModel(cut), FakeModel("はい。"))
    assert (result.reply, [(one.model, one.reason) for one in result.escalations]) == ("はい。", [("a", "refusal")])


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (Unavailable("the circuit is open", backend="b", called=False), "skipped"),
        (Unavailable("no key", backend="b", called=False), "skipped"),
        (TimedOut("too little time", backend="b", called=False), "skipped"),
        (TimedOut("late", backend="b"), "failed"),
        (Unavailable("refused", backend="b", retryable=True), "failed"),
        (Unavailable("overloaded", backend="b", status=503, code="overloaded"), "failed"),
        (Malformed("html", backend="b", status=200), "failed"),
        (RateLimited("later", backend="b", status=429), "failed"),
        (BadRequest("no", backend="b", status=400, code="model_not_found"), "failed"),
        (BadRequest("could not be built", backend="b", called=False), "skipped"),
    ],
)
def test_skipped_is_only_what_was_never_called_and_a_failure_tells_its_cause(error: BackendError, event: str):
    result = outcome(FakeModel(error), FakeModel("はい。"))
    [failed] = [one for one in result.trace if isinstance(one, ModelFailed)]
    assert (failed.model, failed.kind, failed.status, failed.code) == ("a", error.kind, error.status, error.code)
    assert next(trace_entries(result))["event"] == event


PRIVATE = "090-1234-5678"


def masking(model: FakeModel, *detectors: str, text: str = f"{PRIVATE}に電話して"):
    step = replace(generate_step("talk", "a"), detectors=tuple(NamedDetector(name=name) for name in detectors))
    the_turn = replace(turn(text), history=(Message("user", PRIVATE), Message("assistant", "ええ")))
    masking_plan = replace(plan(step), mask=("phone",))
    return run_steps(masking_plan, the_turn, services(a=model), Deadline.after(7.5, FakeClock()))


def test_an_external_model_sees_placeholders_and_its_answer_has_what_they_stand_for():
    model = FakeModel("[電話1]ね、わかったわ。")
    assert masking(model).reply == f"{PRIVATE}ね、わかったわ。"
    [(asked, _)] = model.asked
    assert PRIVATE not in repr(asked)
    assert (asked.text, asked.history[0].text) == ("[電話1]に電話して", "[電話1]")


def test_a_local_model_sees_the_text():
    model = FakeModel("ええ。", engine="local")
    masking(model)
    assert model.asked[0][0].text == f"{PRIVATE}に電話して"


def test_detectors_judge_what_the_guest_will_read():
    said_back = masking(FakeModel("[電話1]に電話して"), "echo")
    assert said_back.reply is None
    assert [one.reason for one in said_back.escalations] == ["echo"]
