from __future__ import annotations

import threading

import pytest

from engine.concurrency import Helpers, Lazy
from engine.core.deadline import Deadline
from tests.fakes.clock import FakeClock

AMPLE = 20.0


def test_work_returns_what_it_returns() -> None:
    assert Helpers(1).call(lambda: 7, Deadline.after(AMPLE), "t") == 7


def test_work_raises_what_it_raises() -> None:
    def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        Helpers(1).call(fail, Deadline.after(AMPLE), "t")


def test_the_caller_leaves_at_the_deadline_and_the_slot_is_free_when_the_work_ends() -> None:
    helpers, release, ended = Helpers(1), threading.Event(), threading.Event()

    def work() -> None:
        release.wait()

    with pytest.raises(TimeoutError):
        helpers.call(work, Deadline.after(0.01), "t")
    with pytest.raises(TimeoutError):
        helpers.call(ended.set, Deadline.after(AMPLE), "t")
    release.set()
    while not ended.is_set():
        try:
            helpers.call(ended.set, Deadline.after(AMPLE), "t")
        except TimeoutError:
            continue


class Maker:
    """Counts; fails while `broken`."""

    def __init__(self) -> None:
        self.calls = 0
        self.broken = False

    def __call__(self) -> int:
        self.calls += 1
        if self.broken:
            raise ImportError("x")
        return self.calls


def test_a_lazy_value_is_made_once() -> None:
    maker = Maker()
    lazy = Lazy(maker, name="t", clock=FakeClock())
    assert lazy.peek() is None
    assert [lazy.get(Deadline.after(AMPLE)) for _ in range(3)] == [1, 1, 1]


def test_a_failure_is_kept_for_a_while_only() -> None:
    maker, clock = Maker(), FakeClock()
    lazy = Lazy(maker, name="t", clock=clock, keep_failure=30.0)
    maker.broken = True
    for _ in range(2):
        with pytest.raises(ImportError):
            lazy.get(Deadline.after(AMPLE))
    clock.advance(30.0)
    maker.broken = False
    assert lazy.get(Deadline.after(AMPLE)) == 2


def test_a_failure_that_is_kept_does_not_keep_those_who_asked() -> None:
    maker = Maker()
    maker.broken = True
    lazy = Lazy(maker, name="t", clock=FakeClock())
    depths = []
    for _ in range(3):
        with pytest.raises(ImportError) as raised:
            lazy.get(Deadline.after(AMPLE))
        depths.append(len(raised.traceback))
    assert len(set(depths)) == 1


def test_a_slow_value_is_there_for_the_next_caller() -> None:
    release = threading.Event()
    lazy = Lazy(release.wait, name="t", clock=FakeClock())
    with pytest.raises(TimeoutError):
        lazy.get(Deadline.after(0.01))
    release.set()
    assert lazy.get(Deadline.after(AMPLE)) is True
