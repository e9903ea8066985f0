"""Fixtures that several suites share: the real models, put in place once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models import for_gpt4all, write_tiny_model
from tools.demo_model import ensure


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
