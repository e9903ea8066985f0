"""The Makefile in a fresh clone: what each target would do, without doing it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs("make")
ROOT = Path(__file__).parents[2]
INHERITED = {name: value for name, value in os.environ.items() if not name.startswith(("LOCAL_LLM", "MAKE", "MISAKI"))}
README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture
def would(tmp_path):
    for name in ("Makefile", "infra.mk", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "requirements").symlink_to(ROOT / "requirements")

    def run(*arguments, **env):
        command = ["make", "--dry-run", "--directory", str(tmp_path), *arguments]
        return subprocess.run(command, env=INHERITED | env, capture_output=True, text=True, check=True).stdout

    return run


@pytest.mark.parametrize("target", ["serve", "chat", "lambda", "build"])
def test_whoever_talks_to_a_model_gets_the_demo_model_unless_one_is_named(would, target):
    assert "tools.demo_model" in would(target)
    assert "tools.demo_model" not in would(target, LOCAL_LLM_MODEL="other.gguf")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("LOCAL_LLM_MODEL=other.gguf", True),
        ('export LOCAL_LLM_MODEL = "other.gguf"', True),
        ("LOG_TEXT=true\n  LOCAL_LLM_MODEL=./other.gguf", True),
        ("# LOCAL_LLM_MODEL=other.gguf", False),
        ("LOCAL_LLM_MODEL=", False),
        ("LOCAL_LLM_MODEL=  # none", False),
        ("LOCAL_LLM_MODEL_2=other.gguf", False),
        ("LOG_TEXT=true", False),
    ],
)
@pytest.mark.parametrize("target", ["serve", "chat", "lambda", "build"])
def test_a_model_that_a_file_of_settings_names_is_left_to_the_command(would, tmp_path, target, line, named):
    (tmp_path / ".env").write_text(line)
    assert ("tools.demo_model" not in would(target)) is named
    assert ("LOCAL_LLM_MODEL" not in exported(tmp_path, target)) is named


@pytest.mark.usefixtures("would")
def test_an_exported_model_wins_over_the_file(tmp_path):
    (tmp_path / ".env").write_text("LOCAL_LLM_MODEL=other.gguf")
    assert exported(tmp_path, "chat", LOCAL_LLM_MODEL="third.gguf")["LOCAL_LLM_MODEL"] == "third.gguf"


def test_the_trial_of_the_image_uses_the_demo_model_whatever_a_file_says(would, tmp_path):
    (tmp_path / ".env").write_text("LOCAL_LLM_MODEL=other.gguf")
    assert '--model ".models/gemma3' in would("image-test")
    assert '--model "third.gguf"' in would("image-test", LOCAL_LLM_MODEL="third.gguf")


def exported(folder, target, **env):
    """What of the model's setting a command of this target finds in its environment, by a program in its place."""
    for stamp in (".venv/bin/python", ".venv/.run", ".venv/.dev", ".models/gemma3-270m-q4_k_m.gguf"):
        (folder / stamp).parent.mkdir(parents=True, exist_ok=True)
        (folder / stamp).write_text("")
    for name in ("python", "misaki"):
        (folder / ".venv/bin" / name).write_text("#!/bin/sh\nenv\n")
        (folder / ".venv/bin" / name).chmod(0o755)
    command = ["make", "--silent", "--directory", str(folder), "--old-file", ".venv/.dev", target]
    said = subprocess.run(command, env=INHERITED | env, capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"^(LOCAL_LLM_MODEL)=(.*)$", said, re.MULTILINE))


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
