"""What several suites share: examples without a clock, an environment without settings, and the real models, put in
place once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.environment import NOTHING_ELSE, SETTING
from tests.models import for_gpt4all, write_tiny_model
from tools.demo_model import ensure

# A machine may be slow: no example fails for the time that it takes.
settings.register_profile("unhurried", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
settings.load_profile("unhurried")


@pytest.fixture(scope="session", autouse=True)
def _nobodys_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in filter(SETTING.match, list(os.environ)):
            patch.delenv(name)
        for name, value in NOTHING_ELSE.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def gemma_path() -> Path:
    """Gemma 3 270M, a base model that knows some Japanese; it has no chat template."""
    return ensure("gemma3")


@pytest.fixture(scope="session")
def smollm2_path() -> Path:
    """SmolLM2 135M instruct, English, with a chat template."""
    return ensure("smollm2")


@pytest.fixture(scope="session")
def smollm2_for_gpt4all(smollm2_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return for_gpt4all(smollm2_path, tmp_path_factory.mktemp("models") / "smollm2.gguf")


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 115 kB that loads in every engine and writes nonsense."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny.gguf")
