"""The peers' own environment: what they import must not meet what we import."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from benchmarks.machine import ROOT

VENV = ROOT / ".cache" / "bench-venv"

PEERS: Mapping[str, str] = {
    "litellm": "litellm",
    "nemoguardrails": "nemoguardrails",
    "semantic-router": "semantic_router",
    "chatterbot": "chatterbot",
    "rivescript": "rivescript",
}
"""Package and module."""


def install(names: Collection[str] = tuple(PEERS)) -> None:
    """Put every peer that can be had into the environment; one that cannot is said and left out."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for package in set(names) - versions().keys():
        print(f"installing {package}", flush=True)
        if subprocess.run([*pip, package], check=False, capture_output=True).returncode:
            print(f"  {package} cannot be installed here")
    versions.cache_clear()


def installed() -> Mapping[str, str]:
    """The peers that are there, with their versions."""
    return {name: versions()[name] for name in PEERS if name in versions()}


@cache
def versions() -> Mapping[str, str]:
    """Everything in the environment, by name."""
    python = VENV / "bin" / "python"
    if not python.exists():
        return {}
    listing = subprocess.run(
        [str(python), "-m", "pip", "list", "--format=json"], check=True, capture_output=True
    ).stdout
    return {one["name"].lower(): one["version"] for one in json.loads(listing)}


def packages() -> Path:
    """The folder that they are imported from."""
    [found] = VENV.glob("lib/python*/site-packages")
    return found
