"""The wheel: what lies beside the modules is in it, but for the sources of catalogues."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
ENGINE = ROOT / "engine"


def test_every_file_that_is_no_module_is_package_data():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"][
        "engine"
    ]
    beside = {path for path in ENGINE.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc", ".po"}}
    assert beside == {path for pattern in patterns for path in ENGINE.glob(pattern)}
    assert beside
