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


class Parts:
    """The triggers that are looked for inside an utterance, by row: `contains`, `regex` and `words`. Read when first
    needed.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    @classmethod
    def of(cls, triggers: Sequence[Trigger], forms: Sequence[Form], lexicon: Lexicon) -> Parts:
        """Raises `ValueError` where a regex cannot be compiled."""
        from engine.matching.close import taken_apart

        contained = [(row, forms[row].text) for row, t in enumerate(triggers) if t.kind == "contains"]
        regexes = [(row, t.text) for row, t in enumerate(triggers) if t.kind == "regex"]
        spoken = [(row, taken_apart(t.text, lexicon)) for row, t in enumerate(triggers) if t.kind == "words"]
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


def _read_trigger(piece: memoryview) -> Trigger:
    kind, text, reply, priority = json.loads(bytes(piece))
    return Trigger(kind=kind, text=text, reply=reply, priority=priority)


def _read_form(piece: memoryview) -> Form:
    values = map(_tuples, json.loads(bytes(piece)))
    return Form(**dict(zip(_FORM, values, strict=True)))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


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
        from engine.matching.close import form_of

        kept = tuple(triggers)
        return cls._of(kept, tuple(form_of(one, lexicon) for one in kept), lexicon)

    @classmethod
    def stored(cls, sections: Mapping[str, memoryview]) -> TriggerIndex:
        """The index that `store` made `sections` of; next to nothing of them is read before a turn needs it."""
        return cls(
            Decoded(Table(sections["triggers"]), _read_trigger, most_kept=MOST_KEPT),
            Decoded(Table(sections["forms"]), _read_form, most_kept=MOST_KEPT),
            StoredSearch(sections),
            Parts.stored(sections["parts"]),
            Lexicon(
                (tuple(forms), kind, name) for forms, kind, name in json.loads(bytes(Table(sections["lexicon"])[0]))
            ),
        )

    def store(self) -> dict[str, bytes]:
        from engine.matching.close import columns

        triggers = ([one.kind, one.text, one.reply, one.priority] for one in self.triggers)
        forms = ([getattr(one, name) for name in _FORM] for one in self.forms)
        return {
            "triggers": make_table(json.dumps(one).encode() for one in triggers),
            "forms": make_table(json.dumps(one).encode() for one in forms),
            "parts": self._parts.store(),
            "lexicon": make_table([json.dumps(self.lexicon.entries).encode()]),
            **store_search(columns(self.triggers, self.forms)),
        }

    def candidates(self, text: str, threshold: float) -> Iterator[Candidate]:
        """The replies that may answer, one candidate each: highest score, then priority, then file order.

        Each is worked out when it is asked for: for what is said word for word, nothing needs to be compared.
        """
        given: set[int] = set()
        for candidate in self._reached(text, threshold):
            if candidate.reply not in given:
                given.add(candidate.reply)
                yield candidate

    def _reached(self, text: str, threshold: float) -> Iterator[Candidate]:
        yield from self._equal(text, threshold)
        yield from self._closeness.candidates(text, threshold)

    def part(self, rows: Sequence[int]) -> TriggerIndex:
        """The index of some of the triggers, whose positions count anew."""
        return self._of([self.triggers[row] for row in rows], [self.forms[row] for row in rows], self.lexicon)

    @classmethod
    def _of(cls, triggers: Sequence[Trigger], forms: Sequence[Form], lexicon: Lexicon) -> TriggerIndex:
        from engine.matching.close import columns

        search = open_search(columns(triggers, forms))
        return cls(triggers, forms, search, Parts.of(triggers, forms, lexicon), lexicon)

    def explain(self, text: str, threshold: float) -> tuple[Candidate, ...]:
        """Every trigger reached at this threshold, the refused ones with their reason."""
        return self._closeness.explain(text, threshold)

    def is_trigger(self, text: str) -> bool:
        """Whether `text` is a trigger word for word; cheap, for nothing is compared."""
        return bool(self._search.equal(normalise(text)))

    def words(self, text: str) -> tuple[tuple[str, str], ...]:
        """Tells an editor what is read in a text, as (what, words)."""
        return self._closeness.words(text)

    def trigger_words(self, trigger: int) -> str:
        """Tells what counts of a trigger that is compared by words."""
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
