"""The two READMEs: the same in both languages, and nothing named in them that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.cli.root import COMMANDS

ROOT = Path(__file__).parents[3]
PAGES = {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "README.ja.md")}
ENGLISH, JAPANESE = PAGES.values()


def commands(text):
    """What is typed, without the comments beside it."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line.partition("  #")[0].rstrip() for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize(
    "seen",
    [
        commands,
        lambda text: re.findall(r"^(#+) ", text, re.MULTILINE),
        lambda text: re.findall(r"^```(\w*)$", text, re.MULTILINE),
        lambda text: re.findall(r"`[\w./=:-]+`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)),
        lambda text: sorted(set(re.findall(r"\d[\d.,]*\d", text))),
    ],
    ids=["commands", "headings", "blocks", "names", "figures"],
)
def test_both_languages_say_the_same(seen):
    assert sorted(seen(ENGLISH)) == sorted(seen(JAPANESE))
    assert seen(ENGLISH)


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)
def test_links_lead_somewhere(text):
    links = re.findall(r"\]\(([^):]+)\)", text)
    assert links
    assert {link for link in links if not (ROOT / link).exists()} == set()


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)
def test_every_command_is_listed(text):
    assert set(re.findall(r"^\| `misaki (\w+)", text, re.MULTILINE)) == {row.name for row in COMMANDS}
