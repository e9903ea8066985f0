"""How close two forms are: the best of a few weighted rapidfuzz ratios, nothing else: an index can be exact."""

from __future__ import annotations

from rapidfuzz import fuzz

from engine.matching import grammar
from engine.matching.form import Form
from engine.model.record import record

SLACK = 0.01
"""rapidfuzz may drop a match whose score lies within 1e-6 of its cutoff, so it is asked a little lower."""

EXACT_LENGTH = 2
"""A trigger's form of so few characters matches exactly or not at all: there is no room for a difference."""


@record
class Pair:
    """One form of the query against one of the trigger; the score is `ratio * weight`, at most `most`.

    100 is kept for the same normal form, so that a threshold of 100 means exactly that. Sound must be nearly perfect:
    it serves other spellings of the same words, and a long reading would outweigh what differs. A borrowed word must
    not be closer to its original than to the same word in a request: ハイボール, ハイボールください, highball please.
    """

    query: str
    trigger: str
    weight: float
    most: float

    def score(self, ratio: float) -> float:
        return min(ratio * self.weight, self.most)

    def cutoff(self, threshold: float) -> float | None:
        """What to ask rapidfuzz for, 0-100: no ratio below it reaches the threshold; none where no ratio can."""
        if threshold > self.most:
            return None
        return min(max(threshold / self.weight - SLACK, 0.0), 100.0)


PAIRS = (
    Pair(query="text", trigger="text", weight=1.0, most=100.0),
    Pair(query="core", trigger="core", weight=1.0, most=99.0),
    Pair(query="turned", trigger="core", weight=1.0, most=99.0),
    Pair(query="bag", trigger="bag", weight=1.0, most=99.0),
    Pair(query="sound", trigger="sound", weight=0.9, most=90.0),
    Pair(query="borrowed", trigger="borrowed", weight=1.0, most=85.0),
)


def score(query: Form, trigger: Form) -> float:
    """0-100: 100 for the same normal form; symmetric in all pairs but `turned`."""
    return max(_score(getattr(query, p.query), getattr(trigger, p.trigger), p) for p in PAIRS)


def _score(query: str, trigger: str, pair: Pair) -> float:
    return pair.score(fuzz.ratio(query, trigger)) if comparable(query, trigger) else 0.0


def comparable(query: str, trigger: str) -> bool:
    """Empty forms say nothing, and very short ones must be the same but for what their endings mean. The space behind
    a Latin word makes it no longer.
    """
    if len(trigger) - trigger.count(" ") > EXACT_LENGTH:
        return bool(query)
    return query.rstrip(grammar.MARKS) == trigger.rstrip(grammar.MARKS) and bool(query)
