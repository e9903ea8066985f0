"""Many at once never have more than a limit, on the stores of one machine; what dies leaves nothing behind."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.conversations import open_store
from engine.conversations.counters import Bound, Counters, Day
from engine.core.deadline import Deadline
from engine.core.errors import StoreFailed
from tests.fakes.clock import FakeClock

DAY = Day(pipeline="bar", name="2026-11-30", ends=4_000_000_000.0)
MANY = 1_000


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    opened = open_store("memory" if request.param == "memory" else f"sqlite:{tmp_path}/rooms.db")
    yield opened
    opened.close()


def ample():
    return Deadline.after(60.0)


def at_once(work):
    """What `work` returns to each of many threads that begin together."""
    ready = threading.Barrier(50)

    def begin(number):
        if number < 50:
            ready.wait()
        return work(number)

    with ThreadPoolExecutor(50) as pool:
        return list(pool.map(begin, range(MANY)))


def test_one_turn_that_is_left_is_taken_once(store):
    # Two of a pipeline's processes, as far as the store can tell.
    both = (Counters(store), Counters(store))
    bounds = (Bound("E", 1), Bound("A#room", 5))
    taken = at_once(lambda number: both[number % 2].take_turn(DAY, bounds, ample()))
    assert sum(taken) == 1
    assert not both[0].take_turn(DAY, bounds, ample())
    assert both[0].take_turn(DAY, (Bound("A#room", 5),), ample())


def test_one_unit_of_money_that_is_left_is_held_once(store):
    both = (Counters(store), Counters(store))
    bounds = (Bound("E", 10), Bound("A#room", 100))
    names = at_once(lambda number: both[number % 2].hold(DAY, bounds, 10, 60.0, ample()))
    held = [name for name in names if name is not None]
    assert len(held) == 1
    both[0].settle(DAY, bounds, held[0], 4, ample())
    assert both[1].hold(DAY, bounds, 7, 60.0, ample()) is None
    assert both[1].hold(DAY, bounds, 6, 60.0, ample()) is not None


def test_what_is_settled_while_others_hold_adds_up(store):
    counters, bounds = Counters(store), (Bound("E", 250),)

    def spend(_number):
        name = counters.hold(DAY, bounds, 5, 60.0, ample())
        if name is not None:
            counters.settle(DAY, bounds, name, 1, ample())
        return name is not None

    spent = sum(at_once(spend))
    assert spent <= 250
    assert counters.hold(DAY, bounds, 250 - spent, 60.0, ample()) is not None
    assert counters.hold(DAY, bounds, 1, 60.0, ample()) is None


def test_what_a_dead_process_held_is_free_after_its_time(store):
    now = FakeClock()
    counters, bounds = Counters(store, now), (Bound("E", 10),)
    assert counters.hold(DAY, bounds, 10, 12.0, ample()) is not None
    now.advance(11.0)
    assert counters.hold(DAY, bounds, 10, 12.0, ample()) is None
    now.advance(2.0)
    assert counters.hold(DAY, bounds, 10, 12.0, ample()) is not None


def test_another_day_begins_anew(store):
    counters, bounds = Counters(store), (Bound("E", 1),)
    assert counters.take_turn(DAY, bounds, ample())
    assert counters.take_turn(Day(pipeline="bar", name="2026-12-01", ends=DAY.ends), bounds, ample())


def test_without_a_store_nothing_is_taken():
    with pytest.raises(StoreFailed):
        Counters(open_store("none")).take_turn(DAY, (Bound("E", 1),), ample())
