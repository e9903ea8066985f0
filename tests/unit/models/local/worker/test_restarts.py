from __future__ import annotations

import pytest

from engine.models.local.worker.restarts import MAX_BACKOFF, Restarts
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


def test_a_worker_that_was_serving_is_started_again_once(clock):
    restarts = Restarts(("fine",), clock)
    assert restarts.lost_serving("signal 6")
    assert not restarts.lost_serving("signal 6")
    restarts.answered()
    assert restarts.lost_serving("signal 11")
    assert restarts.problem == "fine: signal 11"


def test_a_load_that_fails_is_followed_by_the_next_engine_and_then_by_a_pause(clock):
    restarts = Restarts(("one", "two"), clock)
    restarts.note("the file is damaged")
    assert restarts.lost_loading("exit code 0")
    assert restarts.engine == "two"
    assert not restarts.lost_loading("signal 6")
    assert restarts.problem == "one: the file is damaged; two: signal 6"
    assert restarts.wait == 1.0
    restarts.begin_anew()
    assert restarts.engine == "one"


def test_waits_double_up_to_the_longest_however_often_it_fails(clock):
    restarts = Restarts(("damaged",), clock)
    waits = []
    for _ in range(2000):
        restarts.lost_loading("exit code 1")
        waits.append(restarts.wait)
        clock.advance(restarts.wait)
        assert not restarts.wait
    assert waits[:8] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, MAX_BACKOFF, MAX_BACKOFF]
    assert waits[-1] == MAX_BACKOFF


def test_what_loads_has_no_problem_any_more(clock):
    restarts = Restarts(("fine",), clock)
    restarts.lost_loading("signal 9")
    restarts.clear()
    assert restarts.problem == ""
