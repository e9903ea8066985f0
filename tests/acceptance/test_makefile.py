"""The Makefile in a fresh clone: what each target would do, without doing it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture
def would(tmp_path):
    for name in ("Makefile", "infra.mk", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "requirements").symlink_to(ROOT / "requirements")

    def run(*arguments, **env):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LOCAL_LLM", "MAKE"))}
        command = ["make", "--dry-run", "--directory", str(tmp_path), *arguments]
        return subprocess.run(command, env=inherited | env, capture_output=True, text=True, check=True).stdout

    return run


@pytest.mark.parametrize("target", ["serve", "chat", "lambda", "build"])
def test_whoever_talks_to_a_model_gets_the_demo_model_unless_one_is_named(would, target):
    assert "tools.demo_model" in would(target)
    assert "tools.demo_model" not in would(target, LOCAL_LLM_MODEL="other.gguf")


@pytest.mark.parametrize("target", ["serve", "lambda"])
def test_only_the_demo_model_is_waited_for(would, target):
    assert "misaki build --plan-only" not in would(target)
    assert "misaki build --plan-only" in would(target, LOCAL_LLM_MODEL="other.gguf")


def test_every_target_that_the_readme_names_is_there(would):
    targets = {
        name
        for line in re.findall(r"(?:^|`|LLM_MODEL=\S+ )make ([a-z -]+)", README, re.MULTILINE)
        for name in line.split()
    }
    assert {"serve", "chat", "test", "bench", "image", "image-test", "lambda"} <= targets
    for target in sorted(targets):
        assert would(target)
