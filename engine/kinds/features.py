"""Lists the features of a text that tell kinds of sentences apart: runs of characters, words, pairs of words.

Words count by their dictionary form, so one example stands for all inflections of its words. What else was tried is
measured in docs/decisions/0017-kinds.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.text.normalise import fold, repeated, undrawn
from engine.text.words import analyse

LONGEST = 200
"""Characters that are looked at: what sort of sentence this is shows by then."""

_RUNS = (1, 2, 3)
_START, _END = "\x02", "\x03"
_WORD = "\x01"
"""Stands before each word of a feature; no text holds it."""


def features(text: str) -> list[str]:
    """Every feature of `text`, as often as it occurs."""
    said = repeated(undrawn(fold(text)))[:LONGEST]
    return [*runs(said), *_words(said)]


def runs(said: str, sizes: tuple[int, ...] = _RUNS) -> list[str]:
    """The runs of characters of a folded text."""
    marked = f"{_START}{said}{_END}"
    return [marked[place : place + size] for size in sizes for place in range(len(marked) - size + 1)]


def _words(said: str) -> Iterator[str]:
    before = _WORD + _START
    for word in analyse(said):
        now = _WORD + word.form.casefold()
        yield now
        yield before + now
        before = now
    yield before + _WORD + _END


def shown(feature: str) -> str:
    """Shows a feature to an editor: characters in brackets, words with spaces between them."""
    plain = feature.replace(_START, "^").replace(_END, "$")
    return " ".join(plain.split(_WORD)[1:]) if _WORD in plain else f"「{plain}」"
