"""A pipeline's own words: those that only address somebody, and those that it counts as one. Plain data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.text.words import Word


class Lexicon:
    """`entries` are (forms, kind, name): a run of words by their forms, `address` or `same`, and what it counts as."""

    def __init__(self, entries: Iterable[tuple[tuple[str, ...], str, str]] = ()) -> None:
        self.entries = tuple(entries)
        self.same = {forms[0]: name for forms, kind, name in self.entries if kind == "same" and len(forms) == 1}
        self._by_first: dict[str, list[tuple[tuple[str, ...], str, str]]] = {}
        for entry in sorted(self.entries, key=lambda entry: -len(entry[0])):
            self._by_first.setdefault(entry[0][0], []).append(entry)

    def at(self, words: Sequence[Word], place: int) -> tuple[int, str, str] | None:
        """The entry that stands at this place, as its length, its kind and what it counts as."""
        for forms, kind, name in self._by_first.get(words[place].form, ()):
            if tuple(word.form for word in words[place : place + len(forms)]) == forms:
                return len(forms), kind, name
        return None


NOTHING = Lexicon()
"""No words of its own."""


def lexicon(address: Iterable[str], synonyms: Iterable[Sequence[str]]) -> Lexicon:
    """The words of a pipeline, analysed."""
    from engine.text.words import analyse  # noqa: PLC0415 - a stored pipeline has this behind it

    entries: dict[tuple[str, ...], tuple[str, str]] = {}
    for one in address:
        if forms := tuple(word.form for word in analyse(one)):
            entries.setdefault(forms, ("address", one))
    for group in synonyms:
        for one in group:
            if forms := tuple(word.form for word in analyse(one)):
                entries.setdefault(forms, ("same", group[0]))
    return Lexicon((forms, kind, name) for forms, (kind, name) in entries.items())
