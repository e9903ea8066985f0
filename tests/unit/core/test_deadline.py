"""A turn's time among its models: whoever comes later can still be called."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.core.deadline import LEAST, SECONDS_PER_MODEL, Deadline
from tests.fakes.clock import FakeClock

OVERHEAD = 0.01
"""Seconds between one call and the next."""


@given(st.floats(0.0, 20.0), st.integers(1, 8))
def test_as_many_hanging_models_are_called_as_the_time_is_enough_for(seconds, models):
    clock = FakeClock(now=0.0)
    deadline = Deadline.after(seconds, clock)
    given_to = []
    for behind in reversed(range(models)):
        given_to.append(deadline.shared(behind).remaining())
        clock.advance(given_to[-1] + OVERHEAD)
    enough_for = min(models, int(seconds / (LEAST + 0.06)))
    assert sum(share >= LEAST for share in given_to) >= enough_for
    assert clock.now <= seconds + models * OVERHEAD + 1e-6


@given(st.floats(0.0, 20.0), st.integers(0, 8))
def test_nobody_gets_more_than_there_is_or_leaves_more_than_a_second_each(seconds, behind):
    deadline = Deadline.after(seconds, FakeClock(now=0.0))
    left = deadline.shared(behind).remaining()
    assert seconds - behind * SECONDS_PER_MODEL - 1e-9 <= left <= seconds
