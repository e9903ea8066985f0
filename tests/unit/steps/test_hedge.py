"""Hedging in whole turns. Models wait for events, not for time: one that hangs does so until it is called off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from engine.model.deadline import Deadline
from engine.model.errors import BackendError, TimedOut, Unavailable
from engine.model.plan import NamedDetector
from engine.model.ports import LanguageModel, ModelStatus
from engine.model.turn import Completion, Engine, Outcome, Prompt
from engine.running.fold import run
from engine.steps.hedge import LIMIT, THREADS
from tests.fakes.plans import FakeModel, generate_step, plan, reply, say_step, services, turn

AT_ONCE = 0.001
"""A share of the time that is over in no time."""

SORRY = reply("sorry", "ごめんなさいね。")
GOOD = Completion(text="はい。", finish_reason="stop", model="fake", prompt_tokens=3, completion_tokens=2)
CUT = Completion(text="そして", finish_reason="deadline", model="fake", prompt_tokens=3, completion_tokens=1)


@dataclass(slots=True)
class Waiting:
    """Answers when it is told to go, or with a time-out when its time is over or called off."""

    result: Completion | BackendError = GOOD
    go: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    deadline: Deadline | None = None
    called_off: bool = False
    engine: Engine = "external"

    def generate(self, _prompt: Prompt, deadline: Deadline) -> Completion:
        self.deadline = deadline
        self.asked.set()
        with deadline.waking(self.go.set):
            self.go.wait(deadline.remaining())
        self.called_off = deadline.cancelled
        self.left.set()
        if deadline.passed:
            raise TimedOut("too late", backend="fake")
        if isinstance(self.result, BackendError):
            raise self.result
        return self.result

    def status(self) -> ModelStatus:
        return ModelStatus(state="ready")

    def close(self) -> None:
        pass


def outcome(*models: LanguageModel, seconds: float = 20.0, share: float = AT_ONCE, **more: object) -> Outcome:
    """What a turn comes to that asks `models`, called a, b and c, and then says sorry."""
    named = dict(zip("abc", models, strict=False))
    step = generate_step("ask", *named, hedge=share, **more)
    return run(
        plan(step, say_step(0), replies={SORRY: ()}), turn("猫は好き？"), services(**named), Deadline.after(seconds)
    )


def events(result: Outcome) -> list[tuple[str, str]]:
    return [(event.event, event.data["model"]) for event in result.trace if "model" in event.data]


def escalations(result: Outcome) -> list[tuple[str | None, str]]:
    return [(escalation.model, escalation.reason) for escalation in result.escalations]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    join("misaki-hedge")


def join(name: str) -> None:
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(20.0)
            assert not thread.is_alive()


def test_a_quick_answer_asks_nobody_else() -> None:
    second = FakeModel("never")
    result = outcome(FakeModel("はい。"), second, share=0.9)
    assert (result.reply, second.asked) == ("はい。", [])
    assert (events(result), result.escalations) == ([("generated", "a")], ())


def test_a_slow_model_is_called_off_when_the_next_one_answers() -> None:
    slow = Waiting()
    began = time.monotonic()
    result = outcome(slow, FakeModel("はい。"))
    assert slow.left.wait(20.0)
    assert (result.reply, result.completion.model, slow.called_off) == ("はい。", "fake", True)
    assert events(result) == [("hedged", "a"), ("generated", "b"), ("cancelled", "a")]
    assert escalations(result) == [("a", "slow")]
    assert time.monotonic() - began < 20.0
    (lost,) = [event for event in result.trace if event.event == "cancelled"]
    assert lost.data == {"model": "a", "prompt_tokens": None, "tokens": None}


def test_the_first_may_still_win() -> None:
    first, second = Waiting(), Waiting()

    def let_go() -> None:
        second.asked.wait()
        first.go.set()

    threading.Thread(target=let_go).start()
    result = outcome(first, second)
    assert second.left.wait(20.0)
    assert (first.called_off, second.called_off) == (False, True)
    assert events(result) == [("hedged", "a"), ("generated", "a"), ("cancelled", "b")]
    assert escalations(result) == [("a", "slow")]


def test_a_failure_goes_on_at_once() -> None:
    result = outcome(FakeModel(Unavailable("down", backend="x")), FakeModel("はい。"), share=0.9)
    assert events(result) == [("skipped", "a"), ("generated", "b")]
    assert escalations(result) == [("a", "error")]


def test_a_bad_answer_does_not_win() -> None:
    first, third = Waiting(), Waiting()

    def let_go() -> None:
        third.asked.wait()
        first.go.set()

    threading.Thread(target=let_go).start()
    result = outcome(first, FakeModel(CUT), third, detectors=(NamedDetector(name="truncated"),))
    assert third.left.wait(20.0)
    assert result.completion == GOOD
    assert events(result) == [
        ("hedged", "a"),
        ("generated", "b"),
        ("hedged", "a"),
        ("generated", "a"),
        ("cancelled", "c"),
    ]
    assert escalations(result) == [("a", "slow"), ("b", "truncated"), ("a", "slow")]


def test_never_more_than_two_at_once() -> None:
    first, second, third = Waiting(), Waiting(result=Unavailable("down", backend="x")), Waiting()

    def watch() -> None:
        second.asked.wait()
        assert not third.asked.is_set()
        second.go.set()
        third.asked.wait()
        third.go.set()

    thread = threading.Thread(target=watch)
    thread.start()
    result = outcome(first, second, third)
    thread.join()
    assert first.left.wait(20.0)
    assert events(result) == [
        ("hedged", "a"),
        ("skipped", "b"),
        ("hedged", "a"),
        ("generated", "c"),
        ("cancelled", "a"),
    ]


def test_the_first_is_waited_for_when_the_last_one_fails_beside_it() -> None:
    first = Waiting()
    later = threading.Timer(0.01, first.go.set)
    result = outcome(first, FakeModel(Unavailable("down", backend="x"), on_call=later.start))
    assert (result.reply, result.engine, first.called_off) == ("はい。", "external", False)


def test_when_nobody_answers_the_turn_goes_on_by_the_deadline() -> None:
    result = outcome(Waiting(), Waiting(), seconds=0.2)
    assert (result.reply, result.engine) == ("ごめんなさいね。", "fallback")
    assert escalations(result)[0] == ("a", "slow")
    assert sorted(escalations(result)[1:]) == [("a", "timeout"), ("b", "timeout")]


def test_the_one_beside_needs_no_time_of_its_own() -> None:
    first, second = Waiting(), FakeModel("はい。")
    outcome(first, second, FakeModel("never"), seconds=20.0)
    assert first.left.wait(20.0)
    assert first.deadline is not None
    assert second.asked[0][1] > first.deadline.at - time.monotonic()


def test_a_model_that_keeps_no_deadline_is_given_up() -> None:
    class Deaf(FakeModel):
        def generate(self, _prompt: Prompt, _deadline: Deadline) -> Completion:
            release.wait()
            return GOOD

    release = threading.Event()
    result = outcome(Deaf("a"), Deaf("b"), seconds=0.2)
    release.set()
    assert (result.engine, escalations(result)[1:]) == ("fallback", [("a", "timeout"), ("b", "timeout")])


def test_a_bug_in_a_model_is_no_answer_and_ends_the_other_call() -> None:
    class Broken(FakeModel):
        def generate(self, _prompt: Prompt, _deadline: Deadline) -> Completion:
            raise ZeroDivisionError

    slow = Waiting()
    with pytest.raises(ZeroDivisionError):
        outcome(slow, Broken("b"))
    assert slow.left.wait(20.0)
    assert slow.called_off


@contextmanager
def threads_free(count: int) -> Iterator[None]:
    """All others are busy."""
    release = threading.Event()
    for _ in range(LIMIT - count):
        assert THREADS.start(release.wait, "busy") is not None
    try:
        yield
    finally:
        release.set()
        join("busy")


def test_where_no_thread_is_free_models_are_asked_in_turn() -> None:
    with threads_free(0):
        result = outcome(FakeModel(Unavailable("down", backend="x")), FakeModel("はい。"))
    assert result.reply == "はい。"
    assert escalations(result) == [("a", "error")]


def test_a_model_that_is_asked_in_turn_leaves_time_to_the_one_behind_it() -> None:
    first = FakeModel(Unavailable("down", backend="x"))
    with threads_free(0):
        assert outcome(first, FakeModel("はい。"), seconds=20.0).reply == "はい。"
    ((_, seconds),) = first.asked
    assert seconds <= 19.0


def test_what_lost_in_the_same_moment_has_its_tokens_counted() -> None:
    """The second is asked on the turn's own thread here, and both have answered when it looks."""
    first = Waiting()

    def let_go() -> None:
        first.go.set()
        join("misaki-hedge")

    with threads_free(1):
        result = outcome(first, FakeModel(GOOD, on_call=let_go))
    assert events(result) == [("hedged", "a"), ("generated", "a"), ("cancelled", "b")]
    assert result.trace[-2].data == {"model": "b", "prompt_tokens": 3, "tokens": 2}
