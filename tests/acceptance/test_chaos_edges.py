"""The experiments of the edges at a small part of their size, without a look at the clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import deadlines, files, load, requests, worker
from tests.chaos.experiment import Check

ANY_TIME = 60.0


def failing(*checks: Check) -> list[Check]:
    return [check for check in checks if not check.holds]


@pytest.fixture(scope="module")
def paths(smollm2_path: Path, smollm2_for_gpt4all: Path) -> dict[str, Path]:
    return {"llama.cpp": smollm2_path, "gpt4all": smollm2_for_gpt4all}


@pytest.mark.parametrize("backend", worker.ENGINES)
def test_what_may_befall_a_worker(paths, backend):
    before = worker.belongings()
    path = paths[backend]
    checks = [
        *worker.signals(path, backend, 1, ANY_TIME),
        worker.hang(path, backend, 1, ANY_TIME),
        worker.corrupt(path, backend, ANY_TIME),
        worker.no_memory(path, backend, ANY_TIME),
        worker.crowd(path, backend, ANY_TIME),
        worker.stall(path, backend, 1.0, ANY_TIME),
        worker.left_open(before),
    ]
    assert failing(*checks) == []


@pytest.mark.parametrize("backend", worker.ENGINES)
def test_damaged_files(backend):
    assert failing(files.files(backend, 6, ANY_TIME)) == []


@pytest.mark.parametrize("remaining", [0, 1, 100, 500])
def test_little_time(remaining):
    with deadlines.sandbox() as one:
        assert failing(deadlines.little_time(one, remaining, 1, ANY_TIME)) == []


@pytest.mark.parametrize("moment", deadlines.MOMENTS)
def test_a_frozen_sandbox(moment):
    assert failing(deadlines.frozen(moment, 0.3, ANY_TIME)) == []


def test_every_client_of_a_server_is_answered():
    with load.server(*load.SERVERS["misaki serve"]) as address:
        seen = load.loaded(address, 32, 1.0)
    assert (seen.errors, seen.turned_away) == (0, [])
    assert seen.answered


def test_a_server_under_too_much_load_turns_away_and_fails_nobody():
    with load.server(*load.SERVERS["misaki serve"]) as address:
        seen = load.loaded(address, 250, 1.0)
    assert seen.errors == 0
    assert seen.answered
    assert seen.turned_away


def test_naughty_requests():
    unhandled, malformed, *_ = requests.hostile(3000)
    assert failing(unhandled, malformed) == []
