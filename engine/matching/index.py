"""All triggers of a pipeline, asked at once which of them an utterance matches. Knows replies only by their position.

`contains` and `regex` triggers score 100, because the editor asked for them outright; a fuzzy trigger whose normal form
is the utterance itself stands before them, whatever the priorities say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from engine.matching.form import Form
from engine.matching.lexicon import NOTHING, Lexicon
from engine.matching.search import Search, StoredSearch, open_search, store_search
from engine.matching.stored import (
    Parts,
    store_forms,
    store_lexicon,
    store_triggers,
    stored_forms,
    stored_lexicon,
    stored_triggers,
)
from engine.matching.trigger import Candidate, Trigger, only_asks, rank
from engine.text.normalise import normalise

if TYPE_CHECKING:
    from engine.matching.close import Closeness

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
        from engine.matching.close import columns
        from engine.matching.forms import form, unread  # noqa: PLC0415 - as above

        kept = tuple(triggers)
        forms = tuple(form(one.text, lexicon) if one.kind == "fuzzy" else unread(one.text) for one in kept)
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
        from engine.matching.forms import form  # noqa: PLC0415 - for explaining alone
        from engine.matching.told import told

        return told(form(text, self.lexicon))

    def trigger_words(self, trigger: int) -> str:
        """What counts of a trigger that is compared by words."""
        from engine.matching.told import told_in_short

        return told_in_short(self.forms[trigger]) if self.triggers[trigger].kind == "fuzzy" else ""

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
