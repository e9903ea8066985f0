"""Rooms in memory and in a SQLite file."""

import pytest

from engine.conversations.memory import MemoryStorage
from engine.conversations.sqlite import SqliteStorage
from tests.fakes.clock import FakeClock
from tests.rooms.cases import *  # noqa: F403  the cases of every store


@pytest.fixture
def clock():
    return FakeClock(1_700_000_000.0)


@pytest.fixture(params=["memory", "file"])
def storage(request, tmp_path, clock):
    of_file = request.param == "file"
    opened = SqliteStorage(str(tmp_path / "rooms.db"), now=clock) if of_file else MemoryStorage(now=clock)
    yield opened
    opened.close()


@pytest.fixture
def interleavings(request):
    return 1000 if "memory" in request.node.callspec.id else 100
