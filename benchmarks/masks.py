"""Counts what is found of the personal data in labelled sentences, and what is taken for some that is none.

    python -m benchmarks.masks [--data FILE] [--wrong]

The file holds JSON lines with `text` and `private`, a list of kind and value; the shipped set is described in
tests/data/README.md. Beside ours stand the regular expressions of `kakushi`, in an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import peers
from benchmarks.machine import ROOT
from engine.core.record import record
from engine.guardrails.masks import MASKS, find_all

DATA = ROOT / "tests" / "data" / "masks.jsonl"

Private = tuple[str, str]
"""A mask and what it covers."""

_PEER = """
import json, sys, kakushi
names = {"PHONE": "phone", "EMAIL": "email", "POSTAL": "postal_code", "CARD": "card", "MY_NUMBER": "my_number"}
for line in sys.stdin:
    found = kakushi.find_all(json.loads(line), use_ner=False)
    print(json.dumps([[names[one.entity_type.value], one.text] for one in found if one.entity_type.value in names]))
"""


@record
class Sentence:
    text: str
    private: frozenset[Private]


@record
class Score:
    """`found` and `wanted` by mask; `false` are those of the `harmless` sentences in which something is covered, and
    `missed` those in which not just what is private is.
    """

    wanted: Counter[str]
    found: Counter[str]
    false: Sequence[str]
    missed: Sequence[str]
    harmless: int


def read(file: Path) -> list[Sentence]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [
        Sentence(text=row["text"], private=frozenset((mask, value) for mask, value in row["private"])) for row in rows
    ]


def ours(sentences: Sequence[Sentence]) -> list[frozenset[Private]]:
    return [
        frozenset((found.mask, one.text[found.start : found.end]) for found in find_all(one.text, MASKS))
        for one in sentences
    ]


def theirs(sentences: Sequence[Sentence]) -> list[frozenset[Private]] | None:
    """What the peer finds, in its form of the text; `None` where it cannot be installed."""
    peers.install(["kakushi"])
    lines = "".join(json.dumps(one.text) + "\n" for one in sentences)
    asked = [str(peers.VENV / "bin" / "python"), "-c", _PEER]
    done = subprocess.run(asked, check=False, input=lines, capture_output=True, text=True)
    if done.returncode:
        return None
    return [frozenset((mask, text) for mask, text in json.loads(line)) for line in done.stdout.splitlines()]


def judge(sentences: Sequence[Sentence], found: Sequence[frozenset[Private]]) -> Score:
    """Holds what is found against the labels; forms of letters do not count, for the peer changes them."""
    wanted, right = Counter[str](), Counter[str]()
    false, missed = [], []
    for sentence, got in zip(sentences, found, strict=True):
        should, does = _plain(sentence.private), _plain(got)
        wanted.update(mask for mask, _ in should)
        right.update(mask for mask, _ in should & does)
        if does != should:
            (missed if should else false).append(sentence.text)
    harmless = sum(not one.private for one in sentences)
    return Score(wanted=wanted, found=right, false=false, missed=missed, harmless=harmless)


def _plain(private: frozenset[Private]) -> frozenset[Private]:
    return frozenset((mask, unicodedata.normalize("NFKC", value)) for mask, value in private)


def tabulate(scores: Mapping[str, Score]) -> Table:
    table = Table("", *scores)
    for mask in MASKS:
        table.add_row(mask, *(_share(score.found[mask], score.wanted[mask]) for score in scores.values()))
    table.add_row("all", *(_share(score.found.total(), score.wanted.total()) for score in scores.values()))
    table.add_section()
    table.add_row("harmless sentences", *(_share(len(score.false), score.harmless) for score in scores.values()))
    return table


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / max(whole, 1):.1%})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.masks", description="what masks find, and what not")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--wrong", action="store_true", help="list the sentences that ours judges wrongly")
    given = parser.parse_args()
    sentences = read(given.data)
    scores = {"ours": judge(sentences, ours(sentences))}
    peer = theirs(sentences)
    if peer is not None:
        scores[f"kakushi {peers.versions()['kakushi']}"] = judge(sentences, peer)
    console = Console()
    console.print(tabulate(scores))
    if given.wrong:
        for what, texts in (("missed", scores["ours"].missed), ("false", scores["ours"].false)):
            console.print("\n".join(f"{what}: {text}" for text in texts), markup=False)


if __name__ == "__main__":
    main()
