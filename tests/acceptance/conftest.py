"""Fixtures for what several suites start."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.acceptance.emulators import Emulator


@pytest.fixture
def emulate(tmp_path) -> Iterator[Callable[..., Emulator]]:
    """Starts functions in emulators; at the end each is stopped, and its log looked through."""
    started: list[Emulator] = []

    def start(timeout: int = 10, **env: str) -> Emulator:
        started.append(Emulator(tmp_path / f"emulator-{len(started)}.log", timeout, env))
        return started[-1]

    yield start
    for emulator in started:
        emulator.stop()
