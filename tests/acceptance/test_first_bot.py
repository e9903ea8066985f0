"""The guide to one's first bot is true: walked word for word, in both languages, by the package as it is installed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.processes import ROOT, post, python_path, run, served

GUIDES = {
    "en": (ROOT / "docs" / "first-bot.md").read_text("utf-8"),
    "ja": (ROOT / "docs" / "first-bot.ja.md").read_text("utf-8"),
}
CLEAN = {"en": "no problems", "ja": "問題はありません"}
GREETING = {"en": "Good evening", "ja": "こんばんは"}
CHOSEN = {"en": "answers with `how_are_you`", "ja": "`how_are_you` で答えます"}
QUESTION = re.compile(r'misaki explain "(.+)"')


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_both_guides_have_the_same_commands():
    english, japanese = ("".join(blocks(guide, "sh")) for guide in GUIDES.values())
    assert english.replace("How are you today?", "お元気ですか？") == japanese


@pytest.mark.parametrize("language", GUIDES)
def test_the_guide_word_for_word(language, installed, tmp_path):
    guide, env = (
        GUIDES[language],
        {"PYTHONPATH": python_path(installed), "XDG_DATA_HOME": str(tmp_path / "data"), "MISAKI_LANG": language},
    )
    asked = QUESTION.search(guide)[1]

    def misaki(command: str, folder: Path, stdin: str = "") -> str:
        assert command in guide
        done = run(
            "engine",
            *command.removeprefix("misaki ").replace('"', "").split(" ", 1 if asked in command else -1),
            cwd=folder,
            env=env,
            stdin=stdin,
        )
        return f"{done.returncode}\n{done.stdout}{done.stderr}"

    run("engine", "init", "hana", "--lang", language, cwd=tmp_path, env=env)
    hana = tmp_path / "hana"
    assert misaki("misaki validate", hana).startswith(f"0\n{CLEAN[language]}")
    assert misaki("misaki test", hana).startswith("0\n")
    assert "dont_know" in misaki("misaki chat", hana, stdin=f"{asked}\n")

    talk, right = hana / "replies" / "talk.yml", blocks(guide, "yaml")[0]
    before = talk.read_text("utf-8")
    talk.write_text(f"{before}\n{right.replace('say:', 'sya:')}", "utf-8")
    assert blocks(guide, "text")[0] in misaki("misaki validate", hana)
    talk.write_text(f"{before}\n{right}", "utf-8")
    assert misaki("misaki validate", hana).startswith(f"0\n{CLEAN[language]}")
    assert CHOSEN[language] in misaki(f'misaki explain "{asked}"', hana)

    misaki("misaki chat --save golden/mine.golden.yml", hana, stdin=f"{asked}\n")
    assert misaki("misaki test", hana).startswith("0\n")
    lines = re.findall(r"^      - (.+)$", right, re.MULTILINE)
    for line in lines:
        talk.write_text(talk.read_text("utf-8").replace(line, f"{line} !"), "utf-8")
    assert misaki("misaki test", hana).startswith("1\n")
    assert misaki("misaki test --accept", hana).startswith("0\n")
    assert misaki("misaki test", hana).startswith("0\n")

    pipeline = hana / "pipelines" / "hana.yml"
    pipeline.write_text(pipeline.read_text("utf-8").replace("  role:", "  town: Oslo\n  role:"), "utf-8")
    for line in lines:
        talk.write_text(talk.read_text("utf-8").replace(line, "We are in {{ persona.town }}"), "utf-8")
    with served(cwd=hana, env=env) as server:
        server.wait_for(f'curl .*"{GREETING[language]}"')
        assert "Oslo" in post(f"{server.url}/chat", {"input": asked})[1]["reply"]
