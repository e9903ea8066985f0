"""All triggers of a pipeline, asked at once which of them an utterance matches. Knows replies only by their position.

`contains` and `regex` triggers score 100, because the editor asked for them outright; a fuzzy trigger whose normal form
is the utterance itself stands before them, whatever the priorities say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rapidfuzz import fuzz, process

from engine.matching.forms import Form, form
from engine.matching.guards import refusal
from engine.matching.normalise import fold, normalise
from engine.matching.regexes import Pattern, compile_pattern
from engine.matching.scorer import PAIRS, comparable


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What selects a reply; `reply` is the reply's position, `text` what the editor wrote."""

    kind: Literal["fuzzy", "contains", "regex"]
    text: str
    reply: int
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A trigger that an utterance reached. `trigger` is its position, `refused` a guard's reason, only in `explain`."""

    trigger: int
    reply: int
    score: float
    exact: bool = False
    refused: str | None = None


class TriggerIndex:
    """Immutable after construction and shared by all turns."""

    def __init__(self, triggers: Sequence[Trigger], forms: Sequence[Form]) -> None:
        """`forms` holds one form for each trigger, in the same order: `build` computes them, an artefact stores them.

        Raises:
            ValueError: where a regex cannot be compiled.
        """
        self.triggers = tuple(triggers)
        self.forms = tuple(forms)
        self._fuzzy = tuple(i for i, t in enumerate(self.triggers) if t.kind == "fuzzy" and self.forms[i].text)
        self._columns = {
            name: [getattr(self.forms[i], name) for i in self._fuzzy] for name in {p.trigger for p in PAIRS}
        }
        self._contains = tuple(
            (i, self.forms[i].text) for i, t in enumerate(self.triggers) if t.kind == "contains" and self.forms[i].text
        )
        self._regexes: tuple[tuple[int, Pattern], ...] = tuple(
            (i, compile_pattern(t.text)) for i, t in enumerate(self.triggers) if t.kind == "regex"
        )

    @classmethod
    def build(cls, triggers: Iterable[Trigger]) -> TriggerIndex:
        kept = tuple(triggers)
        return cls(kept, [form(t.text) for t in kept])

    def candidates(self, text: str, threshold: float) -> tuple[Candidate, ...]:
        """The replies that may answer, one candidate each: highest score, then priority, then file order."""
        query = form(text)
        found = (c for c in self._reached(text, query, threshold) if self._refusal(query, c) is None)
        best: dict[int, Candidate] = {}
        for candidate in sorted(found, key=self._rank):
            best.setdefault(candidate.reply, candidate)
        return tuple(best.values())

    def explain(self, text: str, threshold: float) -> tuple[Candidate, ...]:
        """Every trigger reached at this threshold, the refused ones with their reason."""
        query = form(text)
        found = self._reached(text, query, threshold)
        return tuple(sorted((replace(c, refused=self._refusal(query, c)) for c in found), key=self._rank))

    def _rank(self, candidate: Candidate) -> tuple[float, bool, int, int]:
        priority = self.triggers[candidate.trigger].priority
        return (-candidate.score, not candidate.exact, -priority, candidate.trigger)

    def _refusal(self, query: Form, candidate: Candidate) -> str | None:
        if candidate.exact or self.triggers[candidate.trigger].kind != "fuzzy":
            return None
        trigger = self.forms[candidate.trigger]
        return refusal(query, trigger)

    def _reached(self, text: str, query: Form, threshold: float) -> Iterator[Candidate]:
        for position, score in self._scores(query, threshold).items():
            exact = query.text == self.forms[position].text
            yield Candidate(trigger=position, reply=self.triggers[position].reply, score=score, exact=exact)
        for position, part in self._contains:
            if part in query.text:
                yield Candidate(trigger=position, reply=self.triggers[position].reply, score=100.0)
        if self._regexes:
            shown = (fold(text), normalise(text))
            for position, pattern in self._regexes:
                if any(pattern.search(t) is not None for t in shown):
                    yield Candidate(trigger=position, reply=self.triggers[position].reply, score=100.0)

    def _scores(self, query: Form, threshold: float) -> dict[int, float]:
        """Scores of the fuzzy triggers at or above the threshold, by trigger position."""
        scores: dict[int, float] = {}
        for pair in PAIRS:
            cutoff = pair.cutoff(threshold)
            if cutoff is None:
                continue
            found = process.extract(
                getattr(query, pair.query),
                self._columns[pair.trigger],
                scorer=fuzz.ratio,
                score_cutoff=cutoff,
                limit=None,
            )
            asked = getattr(query, pair.query)
            for stored, ratio, row in found:
                position, score = self._fuzzy[row], pair.score(ratio)
                if score >= threshold and score > scores.get(position, -1.0) and comparable(asked, stored):
                    scores[position] = score
        return scores
