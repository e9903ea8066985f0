"""Limits of a day on the stores of one machine, and what the counters of one day are to another."""

from __future__ import annotations

import pytest

from engine.conversations import open_store
from engine.conversations.counters import Bound, Counters, Day
from engine.core.errors import StoreFailed
from tests.fakes.clock import FakeClock
from tests.rooms.limits import *  # noqa: F403  the cases of every store
from tests.rooms.limits import DAY, ample


@pytest.fixture
def setting(tmp_path):
    return f"sqlite:{tmp_path}/rooms.db"


@pytest.fixture(params=["memory", "sqlite"])
def stores(request, setting):
    """What is in memory is there for one process alone."""
    first = open_store("memory" if request.param == "memory" else setting)
    second = first if request.param == "memory" else open_store(setting)
    yield first, second
    first.close()
    second.close()


@pytest.fixture
def store(stores):
    return stores[0]


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


def test_without_a_store_that_answers_nothing_is_taken(tmp_path):
    with pytest.raises(StoreFailed):
        Counters(open_store(f"sqlite:{tmp_path}/no/such/folder")).take_turn(DAY, (Bound("E", 1),), ample())
