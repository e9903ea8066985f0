"""Asks all triggers of a pipeline at once which of them an utterance matches. Knows replies only by their position.

`contains` and `regex` triggers score 100, because the editor asked for them outright; a fuzzy trigger whose normal form
is the utterance itself stands before them, whatever the priorities say. A compiled pipeline keeps triggers and forms as
pieces of tables, taken out one at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.core.record import field_names
from engine.core.table import Decoded, Table, make_table
from engine.matching.search import Search, StoredSearch, open_search, store_search
from engine.matching.trigger import NOTHING, Candidate, Form, Lexicon, Trigger, only_asks, rank
from engine.text.normalise import normalise
from engine.text.regexes import PatternSet

if TYPE_CHECKING:
    from engine.matching.close import Closeness


MOST_KEPT = 2_000
"""Triggers kept decoded, and forms."""

_FORM = field_names(Form)


def store_triggers(triggers: Iterable[Trigger]) -> bytes:
    return make_table(json.dumps([t.kind, t.text, t.reply, t.priority]).encode() for t in triggers)


def stored_triggers(section: memoryview) -> Sequence[Trigger]:
    return Decoded(Table(section), _read_trigger, most_kept=MOST_KEPT)


def store_forms(forms: Iterable[Form]) -> bytes:
    return make_table(json.dumps([getattr(f, name) for name in _FORM]).encode() for f in forms)


def stored_forms(section: memoryview) -> Sequence[Form]:
    return Decoded(Table(section), _read_form, most_kept=MOST_KEPT)


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
            from engine.matching.close import said, sentences

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
    from engine.matching.close import taken_apart

    return [(row, taken_apart(text, lexicon)) for row, text in rows]


def _read_trigger(piece: memoryview) -> Trigger:
    kind, text, reply, priority = json.loads(bytes(piece))
    return Trigger(kind=kind, text=text, reply=reply, priority=priority)


def _read_form(piece: memoryview) -> Form:
    values = map(_tuples, json.loads(bytes(piece)))
    return Form(**dict(zip(_FORM, values, strict=True)))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


__all__ = ["Candidate", "Trigger", "TriggerIndex"]


class TriggerIndex:
    """Immutable after construction and shared by all turns. `triggers` and `forms` are in the pipeline's order."""

    def __init__(
        self, triggers: Sequence[Trigger], forms: Sequence[Form], search: Search, parts: Parts, lexicon: Lexicon
    ) -> None:
        """The parts of an index that `build` or `stored` made."""
        self.triggers = triggers
        self.forms = forms
        self._search = search
        self._parts = parts
        self.lexicon = lexicon

    @classmethod
    def build(cls, triggers: Iterable[Trigger], lexicon: Lexicon = NOTHING) -> TriggerIndex:
        """Raises `ValueError` where a regex cannot be compiled."""
        from engine.matching.close import columns, form_of

        kept = tuple(triggers)
        forms = tuple(form_of(one, lexicon) for one in kept)
        return cls(kept, forms, open_search(columns(kept, forms)), Parts.of(kept, forms, lexicon), lexicon)

    @classmethod
    def stored(cls, sections: Mapping[str, memoryview]) -> TriggerIndex:
        """The index that `store` made `sections` of; next to nothing of them is read before a turn needs it."""
        return cls(
            stored_triggers(sections["triggers"]),
            stored_forms(sections["forms"]),
            StoredSearch(sections),
            Parts.stored(sections["parts"]),
            stored_lexicon(sections["lexicon"]),
        )

    def store(self) -> dict[str, bytes]:
        from engine.matching.close import columns

        return {
            "triggers": store_triggers(self.triggers),
            "forms": store_forms(self.forms),
            "parts": self._parts.store(),
            "lexicon": store_lexicon(self.lexicon),
            **store_search(columns(self.triggers, self.forms)),
        }

    def candidates(self, text: str, threshold: float) -> Iterator[Candidate]:
        """The replies that may answer, one candidate each: highest score, then priority, then file order.

        Each is worked out when it is asked for: for what is said word for word, nothing needs to be compared.
        """
        given: set[int] = set()
        for candidate in self._equal(text, threshold):
            if candidate.reply not in given:
                given.add(candidate.reply)
                yield candidate
        for candidate in self._closeness.candidates(text, threshold):
            if candidate.reply not in given:
                given.add(candidate.reply)
                yield candidate

    def part(self, rows: Sequence[int]) -> TriggerIndex:
        """The index of some of the triggers, whose positions count anew."""
        from engine.matching.close import columns

        triggers, forms = [self.triggers[row] for row in rows], [self.forms[row] for row in rows]
        parts = Parts.of(triggers, forms, self.lexicon)
        return TriggerIndex(triggers, forms, open_search(columns(triggers, forms)), parts, self.lexicon)

    def explain(self, text: str, threshold: float) -> tuple[Candidate, ...]:
        """Every trigger reached at this threshold, the refused ones with their reason."""
        return self._closeness.explain(text, threshold)

    def is_trigger(self, text: str) -> bool:
        """Whether `text` is a trigger word for word; cheap, for nothing is compared."""
        return bool(self._search.equal(normalise(text)))

    def words(self, text: str) -> tuple[tuple[str, str], ...]:
        """What is read in a text, as an editor is shown it: (what, words)."""
        return self._closeness.words(text)

    def trigger_words(self, trigger: int) -> str:
        """What counts of a trigger that is compared by words."""
        return self._closeness.trigger_words(trigger)

    def _equal(self, text: str, threshold: float) -> list[Candidate]:
        """The triggers whose normal form is that of `text`: nothing ranks before them, and no guard refuses them."""
        rows = self._search.equal(normalise(text)) if threshold <= 100 else ()
        found = [
            Candidate(trigger=row, reply=self.triggers[row].reply, score=100.0, exact=True)
            for row in rows
            if not only_asks(text, self.triggers[row], self.forms[row])
        ]
        return sorted(found, key=lambda candidate: rank(candidate, self.triggers))

    @cached_property
    def _closeness(self) -> Closeness:
        from engine.matching.close import Closeness

        return Closeness(self.triggers, self.forms, self._search, self._parts, self.lexicon)
