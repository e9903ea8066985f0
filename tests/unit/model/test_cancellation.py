"""What is called off wakes everyone who waits, once and at once, and nobody who has left."""

from __future__ import annotations

import threading

from engine.model.cancellation import Cancellation
from engine.model.deadline import Deadline
from tests.fakes.clock import FakeClock


def test_a_deadline_passes_when_it_is_called_off() -> None:
    cancellation = Cancellation()
    deadline = Deadline.after(10.0, FakeClock()).unless(cancellation)
    parts = [deadline, deadline.within(3.0), deadline.less(2.0)]
    assert [(part.remaining(), part.passed, part.cancelled) for part in parts] == [
        (10.0, False, False),
        (3.0, False, False),
        (8.0, False, False),
    ]
    cancellation.cancel()
    assert [(part.remaining(), part.passed, part.cancelled) for part in parts] == [(0.0, True, True)] * 3


def test_a_deadline_that_nobody_can_call_off_has_nothing_to_wake() -> None:
    deadline = Deadline.after(10.0, FakeClock())
    with deadline.waking(lambda: None):
        assert not deadline.cancelled


def test_whoever_waits_is_woken() -> None:
    cancellation, woken = Cancellation(), threading.Event()
    waiting = threading.Event()

    def wait() -> None:
        ended = threading.Event()
        with Deadline.after(60.0).unless(cancellation).waking(ended.set):
            waiting.set()
            ended.wait()
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait()
    cancellation.cancel()
    thread.join()
    assert woken.is_set()


def test_whoever_comes_late_is_woken_at_once() -> None:
    cancellation, wakes = Cancellation(), list[str]()
    cancellation.cancel()
    with cancellation.waking(lambda: wakes.append("late")):
        assert wakes == ["late"]


def test_whoever_has_left_is_not_woken() -> None:
    cancellation, wakes = Cancellation(), list[str]()
    with cancellation.waking(lambda: wakes.append("left")):
        pass
    cancellation.cancel()
    assert wakes == []
