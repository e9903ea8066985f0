"""How close two forms are: the best of a few weighted rapidfuzz ratios, nothing else: an index can be exact."""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz import fuzz

from engine.matching.forms import Form

SLACK = 0.01
"""rapidfuzz may drop a match whose score lies within 1e-6 of its cutoff, so it is asked a little lower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One form of the query against one of the trigger; `weight` is what a perfect ratio is worth.

    Sound must be nearly perfect: it serves other spellings of the same words, and a long reading would outweigh what
    differs.
    """

    query: str
    trigger: str
    weight: float

    def cutoff(self, threshold: float) -> float:
        """The ratio, 0-100, that reaches the threshold; over 100 where none can. Ask rapidfuzz `SLACK` lower."""
        return threshold / self.weight


PAIRS = (
    Pair(query="text", trigger="text", weight=1.0),
    Pair(query="core", trigger="core", weight=1.0),
    Pair(query="turned", trigger="core", weight=1.0),
    Pair(query="bag", trigger="bag", weight=1.0),
    Pair(query="sound", trigger="sound", weight=0.88),
)


def score(query: Form, trigger: Form) -> float:
    """0-100: 100 for the same normal form; symmetric in all pairs but `turned`."""
    return max(fuzz.ratio(getattr(query, p.query), getattr(trigger, p.trigger)) * p.weight for p in PAIRS)
