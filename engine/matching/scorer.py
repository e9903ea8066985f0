"""How close two forms are by letters: the best of a few weighted rapidfuzz ratios, so that an index can be exact."""

from __future__ import annotations

from rapidfuzz import fuzz

from engine.core.record import record
from engine.matching.form import Form

SLACK = 0.01
"""rapidfuzz may drop a match whose score lies within 1e-6 of its cutoff, so it is asked a little lower."""

EXACT_LENGTH = 2
"""A trigger's form of so few characters matches exactly or not at all: there is no room for a difference."""

REACH = 65.0
"""Letters that reach so much are compared by words, whatever the threshold: other inflections of the same words."""


@record
class Pair:
    """One form of the query against one of the trigger; the score is `ratio * weight`, at most `most`.

    100 is kept for the same normal form, so that a threshold of 100 means exactly that. Sound must be nearly perfect:
    it serves other spellings of the same words, and a long reading would outweigh what differs.
    """

    name: str
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
    Pair(name="text", weight=1.0, most=100.0),
    Pair(name="core", weight=1.0, most=99.0),
    Pair(name="bag", weight=1.0, most=99.0),
    Pair(name="sound", weight=0.95, most=95.0),
)


def score(query: Form, trigger: Form) -> float:
    """0-100: 100 for the same normal form."""
    return max(_score(getattr(query, p.name), getattr(trigger, p.name), p) for p in PAIRS)


def _score(query: str, trigger: str, pair: Pair) -> float:
    return pair.score(fuzz.ratio(query, trigger)) if comparable(query, trigger) else 0.0


def comparable(query: str, trigger: str) -> bool:
    """Empty forms say nothing, and very short ones must be the same."""
    return bool(query) and (len(trigger) > EXACT_LENGTH or query == trigger)
