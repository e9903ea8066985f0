from __future__ import annotations

import subprocess
import sys

import pytest

from engine.core.language import Phrase, joined, language_of, phrase, said, spoken, tell


def test_a_phrase_is_its_english_sentence():
    made = phrase("did you mean `{close}`?", close="say")
    assert made == "did you mean `say`?"
    assert isinstance(str(ValueError(made)), Phrase)
    assert said(made, "en") == made
    assert said(made, "ja") == "`say` の間違いではありませんか"
    assert said("a text", "ja") == "a text"


def test_braces_of_a_phrase_without_fields_are_meant():
    assert phrase("`{{ }}` is empty") == "`{{ }}` is empty"
    assert said(phrase("`{{ }}` is empty"), "ja") == "`{{ }}` の中が空です"


def test_fields_are_said_in_the_same_language():
    where = phrase(" in {where}", where=phrase("reply `{name}`", name="greet"))
    made = phrase("missing key `{key}`{context}", key="id", context=where)
    assert made == "missing key `id` in reply `greet`"
    assert said(made, "ja") == "必要なキー `id` がありません（返事 `greet`）"
    assert said(phrase("kind `{kind}` has only {count} examples", kind="order", count=3), "ja").endswith(
        "3 個しかありません"
    )


def test_parts_stand_in_a_row():
    parts = [phrase("text"), phrase("a number"), "`none`"]
    assert joined("{before} or {after}", parts) == "text or a number or `none`"
    assert said(joined("{before} or {after}", parts), "ja") == "文か数か`none`"
    assert joined("{before}, {after}", []) == ""


def test_a_command_speaks_its_language():
    before = spoken.set("ja")
    assert tell("file is empty") == "ファイルが空です"
    spoken.reset(before)
    assert tell("file is empty") == "file is empty"


def test_what_nobody_has_translated_stays():
    assert said(phrase("{count} unheard words", count=2), "ja") == "2 unheard words"


@pytest.mark.parametrize(
    ("env", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LC_ALL": "C", "LANG": "ja_JP.UTF-8"}, "en"),
        ({"LC_ALL": "de_DE.UTF-8", "MISAKI_LANG": "ja"}, "ja"),
    ],
)
def test_the_environment_names_a_language(env, language):
    assert language_of(env) == language


def test_a_turn_reads_no_catalogue():
    """Nor does anything that it imports."""
    code = "import sys, engine.app, engine.aws.handler; sys.exit('gettext' in sys.modules or 'babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
