"""What several suites share: examples without a clock, an environment without settings, and the real models, put in
place once.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from engine.golden import pytest_plugin
from tests.environment import NOTHING_ELSE, SETTING
from tests.models import for_gpt4all, write_tiny_model
from tests.needs import need
from tools.demo_model import ensure

# A machine may be slow: no example fails for the time that it takes.
settings.register_profile("unhurried", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--prepared", action="store_true", help="fail where the machine lacks what a test needs")
    parser.addoption(
        "--full", action="store_true", help="try generated requests in their full number, which takes minutes"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*names): what the machine must have, see tests/needs.py")
    # As for Ctrl-C, fixtures are taken down, and end what they started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config.pluginmanager.register(pytest_plugin, "goldens of this folder")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            need(name, item.config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names what was left out, each reason once."""
    reasons = Counter(str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", ()))
    if reasons:
        terminalreporter.section("left out on this machine")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:4} tests  {reason.removeprefix('Skipped: ')}")


@pytest.fixture(scope="session", autouse=True)
def _nobodys_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in filter(SETTING.match, list(os.environ)):
            patch.delenv(name)
        for name, value in NOTHING_ELSE.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def gemma_path(request: pytest.FixtureRequest) -> Path:
    """Gemma 3 270M, a base model that knows some Japanese; it has no chat template."""
    need("the demo models", request.config)
    return ensure("gemma3")


@pytest.fixture(scope="session")
def smollm2_path(request: pytest.FixtureRequest) -> Path:
    """SmolLM2 135M instruct, English, with a chat template."""
    need("the demo models", request.config)
    return ensure("smollm2")


@pytest.fixture(scope="session")
def smollm2_for_gpt4all(
    request: pytest.FixtureRequest, smollm2_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    need("gpt4all", request.config)
    return for_gpt4all(smollm2_path, tmp_path_factory.mktemp("models") / "smollm2.gguf")


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 115 kB that loads in every engine and writes nonsense."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny.gguf")
