"""What an utterance reaches without saying it word for word: the scores of all triggers, and the guards over them.

Taking texts apart, rapidfuzz and the guards are imported with this module, when the first such utterance comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.matching.form import Form
from engine.matching.forms import form
from engine.matching.guards import refusal
from engine.matching.normalise import fold
from engine.matching.scorer import PAIRS, comparable
from engine.matching.search import Search
from engine.matching.stored import Parts
from engine.matching.trigger import Candidate, Trigger, rank
from engine.model.record import replace


class Closeness:
    """Compares utterances with triggers; `triggers` and their `forms` are in the pipeline's order."""

    def __init__(self, triggers: Sequence[Trigger], forms: Sequence[Form], search: Search, parts: Parts) -> None:
        self._triggers = triggers
        self._forms = forms
        self._search = search
        self._parts = parts

    def candidates(self, text: str, threshold: float) -> Iterator[Candidate]:
        """The triggers that may answer, best first; a guard is asked when its candidate's turn comes."""
        query = form(text)
        for candidate in self._ranked(text, query, threshold):
            if self._refusal(query, candidate) is None:
                yield candidate

    def explain(self, text: str, threshold: float) -> tuple[Candidate, ...]:
        """Every trigger reached at this threshold, the refused ones with their reason."""
        query = form(text)
        ranked = self._ranked(text, query, threshold)
        return tuple(replace(candidate, refused=self._refusal(query, candidate)) for candidate in ranked)

    def _ranked(self, text: str, query: Form, threshold: float) -> list[Candidate]:
        return sorted(self._reached(text, query, threshold), key=lambda candidate: rank(candidate, self._triggers))

    def _refusal(self, query: Form, candidate: Candidate) -> str | None:
        if candidate.exact or self._triggers[candidate.trigger].kind != "fuzzy":
            return None
        return refusal(query, self._forms[candidate.trigger])

    def _reached(self, text: str, query: Form, threshold: float) -> Iterator[Candidate]:
        equal = frozenset(self._search.equal(query.text))
        for row, score in scores(self._search, query, threshold).items():
            yield self._candidate(row, score, exact=row in equal)
        for row, part in self._parts.contained:
            if part in query.text:
                yield self._candidate(row, 100.0)
        for row in self._parts.matched({fold(text), query.text}):
            yield self._candidate(row, 100.0)

    def _candidate(self, row: int, score: float, *, exact: bool = False) -> Candidate:
        return Candidate(trigger=row, reply=self._triggers[row].reply, score=score, exact=exact)


def scores(search: Search, query: Form, threshold: float) -> dict[int, float]:
    """Scores (0-100) of the triggers at or above the threshold, by row."""
    found: dict[int, float] = {}
    for pair in PAIRS:
        cutoff, words = pair.cutoff(threshold), getattr(query, pair.query)
        if cutoff is None or not words:
            continue
        for row, text, ratio in search.close(pair.trigger, words, cutoff):
            score = pair.score(ratio)
            if score >= threshold and score > found.get(row, -1.0) and comparable(words, text):
                found[row] = score
    return found


def columns(triggers: Sequence[Trigger], forms: Sequence[Form]) -> dict[str, list[str]]:
    """What is compared of the fuzzy triggers, and nothing of the others."""
    fuzzy = [(one, trigger.kind == "fuzzy") for one, trigger in zip(forms, triggers, strict=True)]
    names = dict.fromkeys(pair.trigger for pair in PAIRS)
    return {name: [getattr(one, name) if is_fuzzy else "" for one, is_fuzzy in fuzzy] for name in names}
