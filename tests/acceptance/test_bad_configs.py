"""Every problem code has a folder that shows it, named after it, with the whole report beside it.

A folder dropped into `tests/configs/bad` is a test; a code without a folder fails.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from engine.cli import main
from engine.validation.codes import CODES, page

BAD = Path(__file__).parent.parent / "configs" / "bad"
GOOD = Path(__file__).parent.parent / "configs" / "good"


def report(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and report of `misaki validate`, without the time it took."""
    monkeypatch.chdir(folder.parent)
    code = main(["validate", folder.name])
    return code, re.sub(r", \d+\.\d\d s\n$", "\n", capsys.readouterr().out)


@pytest.mark.parametrize("code", CODES)
def test_the_report_is_word_for_word(code, monkeypatch, capsys):
    assert (BAD / code).is_dir(), f"no folder shows {code}"
    exit_code, shown = report(BAD / code, monkeypatch, capsys)
    assert shown == (BAD / f"{code}.txt").read_text("utf-8")
    assert f" {code} " in shown
    assert exit_code == (1 if ": error P" in shown else 0)


@pytest.mark.parametrize("code", CODES)
def test_the_report_is_japanese(code, monkeypatch, capsys):
    """But for names, what stands in backquotes, and the editor's own lines."""
    monkeypatch.setenv("MISAKI_LANG", "ja")
    _, shown = report(BAD / code, monkeypatch, capsys)
    assert re.search("(エラー|警告) [0-9,]+ 件（", shown)
    for line in shown.splitlines():
        said = re.sub("^ *[0-9]+ \\| .*|^意味と直し方: .*|^[^ ]+: |`[^`]*`", "", line)
        assert not re.search("[A-Za-z]{2,} [A-Za-z]{2,}", said), line
        assert not re.search("[A-Za-z]{2,}", said) or re.search("[ぁ-ん]", said), line


def test_nothing_else_lies_there():
    assert {path.stem for path in BAD.iterdir()} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_page(code, capsys):
    text = page(code)
    assert text.startswith(f"# {code}: {CODES[code].title}\n")
    assert main(["validate", "--explain", code]) == 0
    assert capsys.readouterr().out == text


def test_every_code_in_the_engine_is_declared_once_and_none_is_declared_in_vain():
    engine = Path(__file__).parent.parent.parent / "engine"
    used: set[str] = set()
    declared: Counter[str] = Counter()
    for path in engine.rglob("*.py"):
        text = path.read_text("utf-8")
        used.update({code for code in re.findall(r'"(P\d{3})"', text) if path.name != "codes.py"})
        declared.update(re.findall(r'Code\("(P\d{3})"', text))
    assert used == set(CODES)
    assert declared == Counter(CODES.keys())


@pytest.mark.parametrize("folder", sorted(GOOD.iterdir()), ids=lambda path: path.name)
def test_what_is_right_is_left_alone(folder, monkeypatch, capsys):
    exit_code, shown = report(folder, monkeypatch, capsys)
    assert exit_code == 0
    assert shown.startswith("no problems in")
