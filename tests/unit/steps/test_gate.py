"""Sentences of a model while they come: what is said is never taken back, and what is refused is never said."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.chat.step_runner import run_steps
from engine.core.deadline import Deadline
from engine.core.errors import BackendError, Cancelled, RateLimited, Unavailable
from engine.core.events import Escalation, ModelAnswered, ModelFailed, Outcome
from engine.core.plan import ExpressionDetector, NamedDetector
from engine.core.record import replace
from engine.core.turn import Completion, Piece
from engine.text.sentences import sentences
from engine.validation.load import load
from tests.fakes.clock import FakeClock
from tests.fakes.plans import FakeModel, StreamingModel, condition, generate_step, plan, services, turn

FIRST, SECOND, THIRD = "まあ、猫ちゃん。", "お名前は？", "今度連れてきてね。"
ENGLISH = "I am quite sure that you will be happy with it."
DETECTORS = tuple(
    NamedDetector(name=name) for name in ("refusal", "repetition", "wrong_language", "echo", "said_before", "empty")
)
BROKEN = Unavailable("gone", backend="b", retryable=True)


def told(*models: FakeModel, text: str = "最近、猫を飼い始めたんだ", **more: Any) -> tuple[list[str], Outcome]:
    """What is said while the turn runs, and what it comes to."""
    named = {f"m{place}": model for place, model in enumerate(models)}
    detectors = more.pop("detectors", DETECTORS)
    the_plan = replace(plan(generate_step("talk", *named, detectors=detectors)), **more)
    said: list[str] = []
    found = services(**named)
    return said, run_steps(the_plan, turn(text), found, Deadline.after(7.5, FakeClock()), say=said.append)


def test_each_sentence_is_said_before_the_next_is_asked_for():
    said: list[str] = []
    seen: list[int] = []
    model = StreamingModel(FIRST, lambda: seen.append(len(said)), SECOND, lambda: seen.append(len(said)), THIRD)
    the_plan = plan(generate_step("talk", "m", detectors=DETECTORS))
    deadline = Deadline.after(7.5, FakeClock())
    outcome = run_steps(the_plan, turn("猫"), services(m=model), deadline, say=said.append)
    assert (said, seen) == ([FIRST, SECOND, THIRD], [1, 2])
    assert (outcome.reply, outcome.completion.finish_reason) == (FIRST + SECOND + THIRD, "stop")
    assert outcome.completion.completion_tokens == 5
    assert model.closed == 1


def test_a_turn_that_is_not_streamed_asks_for_the_whole_answer():
    model = StreamingModel(FIRST, SECOND)
    the_plan = plan(generate_step("talk", "m"))
    outcome = run_steps(the_plan, turn("猫"), services(m=model), Deadline.after(7.5, FakeClock()))
    assert (outcome.reply, model.until) == (FIRST + SECOND, [])


@pytest.mark.parametrize(
    "pieces", [(BROKEN,), (lambda: None, BROKEN), ("ＡＩとして、お答えできません。", BROKEN), (ENGLISH, BROKEN)]
)
def test_before_the_first_sentence_everything_may_escalate_unseen(pieces):
    said, outcome = told(StreamingModel(*pieces), StreamingModel(FIRST))
    assert (said, outcome.reply, outcome.model) == ([FIRST], FIRST, "m1")
    assert [one.model for one in outcome.escalations] == ["m0"]


def test_a_whole_answer_that_is_refused_escalates_unseen_as_ever():
    said, outcome = told(StreamingModel(ENGLISH, " " + ENGLISH), FakeModel(FIRST))
    assert (said, outcome.reply) == ([], FIRST)
    assert [one.reason for one in outcome.escalations] == ["wrong_language"]


def test_a_first_sentence_that_only_echoes_waits_for_the_next():
    text = "猫を飼い始めたんだ"
    said, outcome = told(StreamingModel("猫を飼い始めたんだ。", SECOND + THIRD), text=text)
    assert said == ["猫を飼い始めたんだ。", SECOND, THIRD]
    assert outcome.reply == "".join(said)


@pytest.mark.parametrize("closing", ["", "ごめんなさい、呼ばれちゃったわ。"])
@pytest.mark.parametrize(
    ("broken", "failure"), [((BROKEN,), "unavailable"), (("お答えできません。", THIRD), None), ((ENGLISH, THIRD), None)]
)
def test_after_it_the_answer_ends_with_what_was_said(broken, failure, closing):
    model = StreamingModel(FIRST, *broken)
    said, outcome = told(model, StreamingModel("別の答え。"), closing=closing)
    assert said == [FIRST, *([closing] if closing else [])]
    assert outcome.reply == "".join(said)
    assert (outcome.model, outcome.completion.finish_reason) == ("m0", "interrupted")
    assert outcome.escalations == ()
    [event] = [one for one in outcome.trace if isinstance(one, ModelFailed | ModelAnswered)]
    if failure:
        assert (type(event), event.kind) == (ModelFailed, failure)
    else:
        assert (event.finish_reason, event.escalates is not None) == ("interrupted", True)
    assert model.closed == 1


def test_a_closing_line_in_english_has_a_space_before_it():
    said, outcome = told(StreamingModel("Sure thing.", BROKEN), text="hi there", closing="One moment.")
    assert outcome.reply == "Sure thing. One moment."
    assert "".join(said) == outcome.reply


def test_what_a_filter_cut_ends_with_what_was_said():
    class Filtered(StreamingModel):
        def generate(self, prompt, deadline):
            whole = super().generate(prompt, deadline)
            return replace(whole, text=FIRST + SECOND + "危ない話", finish_reason="refusal")

    said, outcome = told(Filtered(FIRST, SECOND))
    assert said == [FIRST, SECOND]
    assert (outcome.reply, outcome.completion.finish_reason) == (FIRST + SECOND, "interrupted")


def test_confidence_is_looked_at_while_it_comes():
    unsure = (NamedDetector(name="low_confidence", threshold=0.4),)
    pieces = (Piece(text=FIRST, confidence=0.3), Piece(text=SECOND, confidence=0.5), Piece(text=THIRD, confidence=0.39))
    said, outcome = told(StreamingModel(*pieces), detectors=unsure)
    assert said == [FIRST, SECOND]
    assert outcome.completion.finish_reason == "interrupted"


def test_rules_of_the_editor_look_at_all_that_was_said():
    rule = ExpressionDetector(test=condition("contains(output.text, '内緒')"), reason="secret")
    said, outcome = told(StreamingModel(FIRST, "内緒だけど、猫は嫌い。", THIRD), detectors=(rule,))
    assert (said, outcome.reply) == ([FIRST], FIRST)


def test_a_guest_who_leaves_ends_the_call():
    for pieces, reply in (((), None), ((FIRST,), FIRST)):
        gone = threading.Event()
        model = StreamingModel(*pieces, gone.set, Cancelled("gone", backend="b"))
        the_plan = replace(plan(generate_step("talk", "m", "n")), closing="またね。")
        said: list[str] = []
        deadline = Deadline.after(7.5).unless(gone)
        if reply is None:
            with pytest.raises(Cancelled):
                run_steps(the_plan, turn("猫"), services(m=model, n=FakeModel("別の")), deadline, say=said.append)
        else:
            found = services(m=model, n=FakeModel("別の"))
            assert run_steps(the_plan, turn("猫"), found, deadline, say=said.append).reply == reply
        assert said == list(pieces)
        assert model.closed == 1


@pytest.mark.parametrize("cut", range(1, 6))
def test_what_was_kept_from_the_model_stands_in_what_is_said(cut):
    placeholder = "[電話1]"
    model = StreamingModel(f"承知。折り返しは{placeholder[:cut]}", f"{placeholder[cut:]}ね。", THIRD)
    said, outcome = told(model, text="03-1234-5678に電話して", mask=("phone",), detectors=())
    assert "".join(said) == outcome.reply == f"承知。折り返しは03-1234-5678ね。{THIRD}"
    assert "[" not in outcome.reply
    assert model.asked[0][0].text == "[電話1]に電話して"


def test_an_open_bracket_at_the_end_is_kept():
    _, outcome = told(StreamingModel("承知。", "これは[メモ"), mask=("phone",), detectors=())
    assert outcome.reply == "承知。これは[メモ"


@pytest.mark.parametrize(
    ("failure", "taken"), [(None, "settled"), (BROKEN, "lost"), (RateLimited("x", backend="b"), "free")]
)
def test_what_is_streamed_is_paid_for(failure, taken):
    events: list[str] = []

    class Purse:
        def reserve(self, *_asked):
            return self

        def settle(self, completion: Completion | None) -> None:
            events.append("free" if completion is None else "settled")

        def lose(self) -> None:
            events.append("lost")

    model = StreamingModel(FIRST, *([failure] if failure else []))
    found = replace(services(m=model), purse=Purse())
    run_steps(plan(generate_step("talk", "m")), turn("猫"), found, Deadline.after(7.5, FakeClock()), say=lambda _: None)
    assert events == [taken]


def test_the_closing_line_is_the_pipelines():
    closing = load(Path(__file__).parents[2] / "configs" / "good" / "everything" / "pipeline.yml", {}).closing
    said, _ = told(StreamingModel(FIRST, BROKEN), closing=closing)
    assert said == [FIRST, "またあとでね。"]


PIECES = st.sampled_from(
    [FIRST, SECOND, THIRD, ENGLISH, "お答えできません。", "…", "\n", " ", "あはは。" * 9, "「", "。", BROKEN]
)


@example(pieces=[FIRST, FIRST, "\n", FIRST], with_closing=True)
@given(st.lists(PIECES, max_size=8), st.booleans())
def test_nothing_is_taken_back_said_twice_or_refused(pieces, with_closing):
    closing = "またね。" if with_closing else ""
    said, outcome = told(StreamingModel(*pieces), closing=closing)
    joined = "".join(said)
    until = next((place for place, piece in enumerate(pieces) if isinstance(piece, BackendError)), len(pieces))
    whole = "".join(piece for piece in pieces[:until] if isinstance(piece, str))
    if said:
        assert outcome.reply == joined
        assert whole.startswith(joined.removesuffix(closing) if closing else joined)
    if said and outcome.completion.finish_reason != "interrupted":
        assert joined == whole
    for piece in ("お答えできません。", ENGLISH):
        assert piece not in joined or sentences(joined)[0].strip() == piece
    assert not [one for one in outcome.trace if isinstance(one, Escalation)] or not said
