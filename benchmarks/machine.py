"""What the figures were measured on, and how processes are started for measuring."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from engine import __version__

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
PYTHON = os.path.realpath(sys.executable)
"""The interpreter itself, outside of any virtual environment, as in a Lambda image."""

_SETTINGS = (
    "MISAKI_",
    "LOCAL_LLM",
    "USE_LOCAL",
    "OPENAI",
    "BEDROCK",
    "HUGGINGFACE",
    "SESSION_STORE",
    "AWS_",
    "METRICS",
)


def describe() -> str:
    """Processor, memory, system and versions in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB; {platform.system()} {platform.release()}; "
        f"CPython {platform.python_version()}; engine {__version__}"
    )


def load() -> float:
    """Processes that wanted a core during the last minute."""
    return os.getloadavg()[0]


def environment(site_packages: str | None = None, **extra: str) -> dict[str, str]:
    """This process's environment without any setting of the engine; modules from `site_packages`, with their bytecode.

    With `-S` and this, nothing of this machine's own start-up hooks is a part of either side.
    """
    base = {name: value for name, value in os.environ.items() if not name.startswith((*_SETTINGS, "PYTHON"))}
    python = {
        "PYTHONPATH": site_packages or sysconfig.get_path("purelib"),
        "PYTHONPYCACHEPREFIX": str(CACHE / "bytecode"),
    }
    return base | python | {"USE_LOCAL_LLM": "false", "MISAKI_ENV_FILE": "off"} | extra


def python(code: str, *arguments: str) -> list[str]:
    """The command that runs `code`."""
    return [PYTHON, "-S", "-c", code, *arguments]


def settings_of(env: Mapping[str, str]) -> str:
    """The variables of `env` that a reader must set, as a shell writes them."""
    shown = {name: value for name, value in env.items() if name.startswith((*_SETTINGS, "PYTHON"))}
    return " ".join(f"{name}={value.replace(str(ROOT) + '/', '')}" for name, value in sorted(shown.items()))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
