"""The example of a file of settings: every setting of the README, and no effect until a line is changed."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from engine.cli.env_file import read_env_file

ROOT = Path(__file__).parents[3]
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
ROWS = re.findall(r"^\| (`[A-Z_]+`.*?) \| (.*?) \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
SETTINGS = {name for row, _ in ROWS for name in re.findall(r"`(\w+)`", row)}


def read(folder, monkeypatch, text):
    (folder / ".env").write_text(text, "utf-8")
    monkeypatch.chdir(folder)
    env = {}
    read_env_file(env)
    return env


def test_a_copy_changes_nothing(tmp_path, monkeypatch):
    assert read(tmp_path, monkeypatch, EXAMPLE) == {}


def test_every_setting_of_the_readme_is_there(tmp_path, monkeypatch):
    env = read(tmp_path, monkeypatch, re.sub(r"^# (?=[A-Z_]+=)", "", EXAMPLE, flags=re.MULTILINE))
    assert env.keys() == SETTINGS
    assert all(env.values())


def test_defaults_are_those_of_the_readme(tmp_path, monkeypatch):
    env = read(tmp_path, monkeypatch, re.sub(r"^# (?=[A-Z_]+=)", "", EXAMPLE, flags=re.MULTILINE))
    defaults = {
        re.findall(r"`(\w+)`", row)[0]: default.strip("`") for row, default in ROWS if re.fullmatch(r"`\S+`", default)
    }
    assert len(defaults) >= 7
    assert {name: env[name] for name in defaults} == defaults


@pytest.mark.parametrize("name", [".env", ".env.local", ".env.production"])
@pytest.mark.parametrize("file", [".gitignore", ".dockerignore"])
def test_neither_git_nor_an_image_takes_a_file_of_settings(file, name):
    assert ignored(file, name)


def test_git_keeps_the_example():
    assert not ignored(".gitignore", ".env.example")


def ignored(file, name):
    """The last rule that fits decides, in both files."""
    verdict = False
    for rule in (ROOT / file).read_text("utf-8").splitlines():
        if fnmatch(name, rule.lstrip("!").removeprefix("**/")):
            verdict = rule[0] != "!"
    return verdict
