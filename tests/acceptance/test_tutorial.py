"""The tutorial for editors is true: its reply validates, its commands run, and matching does what it says."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from engine.cli import main
from engine.matching.index import TriggerIndex
from engine.matching.trigger import Trigger

ROOT = Path(__file__).parent.parent.parent
ENGLISH, JAPANESE = ((ROOT / "docs" / f"writing-replies{end}.md").read_text("utf-8") for end in ("", ".ja"))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("pipelines", "replies", "kinds"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns(".cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("language", ["yaml", "sh"])
def test_both_languages_show_the_same(language):
    assert blocks(ENGLISH, language) == blocks(JAPANESE, language)
    assert blocks(ENGLISH, language)


def test_the_first_reply_validates(project, capsys):
    chat = project / "replies" / "snack_misaki" / "chat.yml"
    chat.write_text(chat.read_text("utf-8").rstrip("\n") + "\n\n" + blocks(ENGLISH, "yaml")[0], "utf-8")
    assert main(["validate"]) == 0
    assert "no problems" in capsys.readouterr().out
    assert main(["explain", "ジャズ聴く", "--pipeline", "pipelines/snack_misaki.yml"]) == 0
    assert "answers with `likes_jazz`" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_every_command_runs():
    shown = [line for block in blocks(ENGLISH, "sh") for line in block.splitlines()]
    named = re.findall(r"`misaki ((?:validate|explain) [^`]+)`", ENGLISH)
    commands = [line.removeprefix(".venv/bin/misaki ") for line in shown] + named
    assert len(commands) >= 4
    for command in commands:
        if "--watch" not in command:
            assert main(shlex.split(command)) == 0


def chosen(trigger: str, text: str) -> bool:
    index = TriggerIndex.build([Trigger(kind="fuzzy", text=trigger, reply=0, priority=0)])
    return next(iter(index.candidates(text, 80.0)), None) is not None


@pytest.mark.parametrize("text", ["こんばんわ", "ｺﾝﾊﾞﾝﾊ", "こんばんは〜！", "🌙こんばんは", "えっと、こんばんはね"])
def test_what_makes_no_difference(text):
    assert chosen("こんばんは", text)


@pytest.mark.parametrize(
    ("trigger", "text"),
    [
        ("ありがとう", "ありがとうございません"),
        ("3時に行くね", "13時に行くね"),
        ("来週また来るね", "先週また来るね"),
        ("お祭りはいつ", "お祭りはどこ"),
        ("お水ください", "お湯ください"),
        ("愛してる", "愛してるって言われた"),
    ],
)
def test_what_counts_however_alike(trigger, text):
    assert not chosen(trigger, text)
    assert chosen(trigger, trigger)
