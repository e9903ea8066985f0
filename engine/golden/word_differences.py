"""Differences between two texts word by word, also in a language that writes no spaces.

A run of one script is taken for a word, but hiragana and kanji count one by one: they carry inflection and meaning,
and a change of one of them should not colour the whole sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_WORD = re.compile(r"[A-Za-z0-9']+|[\u30a1-\u30ff]+|\s+|.", re.DOTALL)
Kind = Literal["same", "gone", "new"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text: `gone` stands only in the expected text, `new` only in the one that came."""

    kind: Kind
    text: str


def pieces(expected: str, got: str) -> list[Piece]:
    """Both texts as one sequence of pieces; without the `new` ones it is `expected`, without the `gone` ones `got`."""
    before, after = _WORD.findall(expected), _WORD.findall(got)
    found: list[Piece] = []
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Piece("same", "".join(before[i:j])))
            continue
        if j > i:
            found.append(Piece("gone", "".join(before[i:j])))
        if m > k:
            found.append(Piece("new", "".join(after[k:m])))
    return _joined(found)


def expected_side(found: list[Piece]) -> list[Piece]:
    return [piece for piece in found if piece.kind != "new"]


def got_side(found: list[Piece]) -> list[Piece]:
    return [piece for piece in found if piece.kind != "gone"]


def _joined(found: list[Piece]) -> list[Piece]:
    """A single character that happens to be the same between two changes is part of the change."""
    joined: list[Piece] = []
    for place, piece in enumerate(found):
        between = 0 < place < len(found) - 1 and {found[place - 1].kind, found[place + 1].kind} != {"same"}
        if piece.kind == "same" and len(piece.text) == 1 and between:
            joined += [Piece("gone", piece.text), Piece("new", piece.text)]
        else:
            joined.append(piece)
    return _ordered(joined)


def _ordered(found: list[Piece]) -> list[Piece]:
    """Neighbouring changes as one that goes and one that comes."""
    ordered: list[Piece] = []
    gone = new = ""
    for piece in [*found, Piece("same", "")]:
        if piece.kind == "gone":
            gone += piece.text
        elif piece.kind == "new":
            new += piece.text
        else:
            ordered += [change for change in (Piece("gone", gone), Piece("new", new)) if change.text]
            ordered += [piece] if piece.text else []
            gone = new = ""
    return ordered
