"""A new bot: what is written, what is refused, and what is asked on a terminal."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from engine.cli import main
from engine.cli.init import bot_files
from engine.core.language import language_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    for name in ("MISAKI_LANG", "LC_ALL", "LC_MESSAGES", "LANG", "MISAKI_PIPELINE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def on_terminal(monkeypatch):
    """Lets somebody at a terminal give these answers."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    def answer(*lines):
        shown = Terminal()
        monkeypatch.setattr(sys, "stdin", Terminal("".join(f"{line}\n" for line in lines)))
        monkeypatch.setattr(sys, "stdout", shown)
        return shown

    return answer


def persona(name):
    return yaml.safe_load(Path(name, "pipelines", f"{name}.yml").read_text("utf-8"))["persona"]["name"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(
    "called", ["", 'O\'Brien \\ "Bob"', "no", "12: #3", "AI", "ありがとう", "& *x, [y] @z %", "ドクター・スランプ　1号"]
)
def test_a_new_bot_validates_and_passes_its_goldens(language, called, capsys, monkeypatch):
    assert main(["init", "bot", "--lang", language, *(["--persona", called] if called else [])]) == 0
    monkeypatch.chdir("bot")
    capsys.readouterr()
    assert main(["validate", "--strict"]) == 0
    assert "no problems in 7 files with 10 replies" in capsys.readouterr().out
    assert main(["test"]) == 0
    assert "4 passed of 4" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_no_mark_is_left_and_every_schema_that_a_file_names_is_there():
    assert main(["init", "bot"]) == 0
    texts = {path: path.read_text("utf-8") for path in Path("bot").rglob("*") if path.is_file()}
    assert not [path for path, text in texts.items() if re.search("@[A-Z]+@", text)]
    named = [(path, text.partition("$schema=")[2].split()[0]) for path, text in texts.items() if path.suffix == ".yml"]
    assert len(named) == 6
    assert all((path.parent / schema).is_file() for path, schema in named)
    settings = json.loads(Path("bot/.vscode/settings.json").read_text("utf-8"))
    assert all(Path("bot", schema).is_file() for schema in settings["yaml.schemas"])
    assert ".env" in Path("bot/.gitignore").read_text("utf-8").splitlines()


def test_both_languages_have_the_same_files():
    japanese, english = ({path for path, _ in bot_files("bot", "A", language)} for language in ("ja", "en"))
    assert japanese == english


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["there"], "`there` is there already"),
        (["file"], "`file` is there already"),
        (["../bot"], "`../bot` is a path"),
        (["a\\b"], "`a\\b` is a path"),
        ([".."], "`..` is a path"),
        (["My-Bot"], "such as `my_bot`"),
        (["ハナ"], "such as `my_bot`; --persona takes any name"),
        (["9lives"], "such as `lives`"),
        (["bot", "--persona", ""], "the persona's name is empty"),
        (["bot", "--persona", " \t"], "the persona's name is empty"),
        (["bot", "--persona", "{{ x }}"], "holds '{'"),
        (["bot", "--persona", "${HOME}"], "holds '$'"),
        (["bot", "--persona", "a\u200bb"], "holds '\\u200b'"),
        (["bot", "--persona", "!?"], "has no letter"),
        (["bot", "--persona", "x" * 41], "has 41 characters"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(arguments, told, folder, capsys):
    Path("there").mkdir()
    Path("there", "mine").write_text("mine")
    Path("file").touch()
    assert main(["init", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert {path.name for path in folder.rglob("*")} == {"there", "mine", "file"}


def test_a_place_where_nothing_can_be_written_is_told(monkeypatch, capsys):
    monkeypatch.chdir("/proc")
    assert main(["init", "bot", "--lang", "en", "--persona", "Hana"]) == 1
    assert "misaki: `/proc/" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "arguments",
    [["there"], ["../bot"], ["My-Bot"], *(["bot", "--persona", name] for name in ("", "{{ x }}", "!?", "x" * 41))],
)
def test_a_japanese_locale_is_told_in_japanese(arguments, capsys, monkeypatch):
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    Path("there").mkdir()
    assert main(["init", *arguments]) == 2
    assert re.search("てください|られます", capsys.readouterr().err)


@pytest.mark.usefixtures("folder")
def test_language_and_persona_are_asked_until_they_fit(on_terminal):
    shown = on_terminal("fr", "ja", "{", "こはる")
    assert main(["init", "bot"]) == 0
    assert "answer ja or en" in shown.getvalue()
    assert "ボットの名前は何にしますか" in shown.getvalue()
    assert "「こはる」ができました" in shown.getvalue()
    assert persona("bot") == "こはる"


@pytest.mark.usefixtures("folder")
def test_an_empty_answer_is_the_default_and_an_option_is_not_asked_for(on_terminal, monkeypatch):
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    shown = on_terminal("", "")
    assert main(["init", "bot"]) == 0
    assert persona("bot") == "ハナ"
    shown = on_terminal("")
    assert main(["init", "other", "--lang", "en"]) == 0
    assert "日本語" not in shown.getvalue()
    assert persona("other") == "Hana"


@pytest.mark.usefixtures("folder")
def test_a_terminal_that_is_closed_is_told_the_options(on_terminal, capsys):
    on_terminal()
    assert main(["init", "bot"]) == 2
    assert "give --lang and --persona" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("env", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_ALL": "de_DE.UTF-8", "MISAKI_LANG": "ja"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "MISAKI_LANG": "en"}, "en"),
    ],
)
def test_the_language_is_the_variables_or_the_locales(env, language):
    assert language_of(env) == language
