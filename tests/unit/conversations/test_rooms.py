"""Rooms in memory and in a SQLite file."""

import pytest

from engine.conversations.sqlite import SqliteStorage
from tests.fakes.clock import FakeClock
from tests.rooms.cases import *  # noqa: F403  the cases of every store


@pytest.fixture
def clock():
    return FakeClock(1_700_000_000.0)


@pytest.fixture(params=["memory", "file"])
def storage(request, tmp_path, clock):
    path = ":memory:" if request.param == "memory" else str(tmp_path / "rooms.db")
    opened = SqliteStorage(path, now=clock)
    yield opened
    opened.close()


@pytest.fixture
def interleavings(request):
    return 1000 if "memory" in request.node.callspec.id else 100
