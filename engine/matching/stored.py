"""What a compiled pipeline keeps of its triggers and their forms: pieces of tables, taken out one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from engine.core.record import field_names
from engine.core.table import Decoded, Table, make_table
from engine.matching.form import Form
from engine.matching.lexicon import Lexicon
from engine.matching.trigger import Trigger
from engine.text.regexes import PatternSet

MOST_KEPT = 2_000
"""Triggers kept decoded, and forms."""

_FORM = field_names(Form)


def store_triggers(triggers: Iterable[Trigger]) -> bytes:
    return make_table(json.dumps([t.kind, t.text, t.reply, t.priority]).encode() for t in triggers)


def stored_triggers(section: memoryview) -> Sequence[Trigger]:
    return Decoded(Table(section), _trigger, most_kept=MOST_KEPT)


def store_forms(forms: Iterable[Form]) -> bytes:
    return make_table(json.dumps([getattr(f, name) for name in _FORM]).encode() for f in forms)


def stored_forms(section: memoryview) -> Sequence[Form]:
    return Decoded(Table(section), _form, most_kept=MOST_KEPT)


def store_lexicon(lexicon: Lexicon) -> bytes:
    return make_table([json.dumps(lexicon.entries).encode()])


def stored_lexicon(section: memoryview) -> Lexicon:
    return Lexicon((tuple(forms), kind, name) for forms, kind, name in json.loads(bytes(Table(section)[0])))


class Parts:
    """The triggers that are looked for inside an utterance, by row: `contains`, `regex` and `words`. Read when first
    needed.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    @classmethod
    def of(cls, triggers: Sequence[Trigger], forms: Sequence[Form], lexicon: Lexicon) -> Parts:
        """Raises `ValueError` where a regex cannot be compiled."""
        contained = [(row, forms[row].text) for row, t in enumerate(triggers) if t.kind == "contains"]
        regexes = [(row, t.text) for row, t in enumerate(triggers) if t.kind == "regex"]
        spoken = _in_order(triggers, lexicon)
        kept = {"contains": [entry for entry in contained if entry[1]], "regex": regexes, "words": spoken}
        parts = cls(Table(memoryview(make_table([json.dumps(kept).encode()]))))
        # What cannot be compiled is told now.
        _ = parts._patterns
        return parts

    @classmethod
    def stored(cls, section: memoryview) -> Parts:
        return cls(Table(section))

    def store(self) -> bytes:
        return make_table([bytes(self._table[0])])

    @cached_property
    def contained(self) -> Sequence[tuple[int, str]]:
        """Normal forms that an utterance's normal form must hold."""
        return [(row, part) for row, part in self._read["contains"]]

    def matched(self, texts: Iterable[str]) -> set[int]:
        """The rows of the patterns that are found in one of `texts`."""
        if self._patterns is None:
            return set()
        return {self._read["regex"][place][0] for text in texts for place in self._patterns.found_in(text)}

    def spoken(self, text: str, lexicon: Lexicon) -> Iterator[int]:
        """The rows of the `words` triggers that `text` says."""
        rows = self._read["words"]
        if rows:
            from engine.matching.spoken import said, sentences

            told = sentences(text, lexicon)
            yield from (row for row, words in rows if any(said(words, sentence) for sentence in told))

    @cached_property
    def _patterns(self) -> PatternSet | None:
        if not self._read["regex"]:
            return None
        return PatternSet(source for _, source in self._read["regex"])

    @cached_property
    def _read(self) -> Any:
        return json.loads(bytes(self._table[0]))


def _in_order(triggers: Sequence[Trigger], lexicon: Lexicon) -> list[tuple[int, Sequence[Sequence[str]]]]:
    rows = [(row, trigger.text) for row, trigger in enumerate(triggers) if trigger.kind == "words"]
    if not rows:
        return []
    from engine.matching.spoken import taken_apart

    return [(row, taken_apart(text, lexicon)) for row, text in rows]


def _trigger(piece: memoryview) -> Trigger:
    kind, text, reply, priority = json.loads(bytes(piece))
    return Trigger(kind=kind, text=text, reply=reply, priority=priority)


def _form(piece: memoryview) -> Form:
    values = map(_tuples, json.loads(bytes(piece)))
    return Form(**dict(zip(_FORM, values, strict=True)))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
