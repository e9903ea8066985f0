"""How close two forms are: the best of a few rapidfuzz ratios, and nothing else, so that an index can be exact."""

from __future__ import annotations

from rapidfuzz import fuzz

from engine.matching.forms import Form

SLACK = 0.01
"""rapidfuzz may drop a match whose score lies within 1e-6 of its cutoff, so it is asked a little lower."""

PAIRS: tuple[tuple[str, str], ...] = (("text", "text"), ("core", "core"), ("turned", "core"), ("bag", "bag"))
"""Which form of the query is compared with which form of the trigger."""


def score(query: Form, trigger: Form, cutoff: float = 0.0) -> float:
    """0-100, symmetric in all pairs but `turned`; 0 where it is below the cutoff."""
    best = 0.0
    for one, other in PAIRS:
        best = max(best, fuzz.ratio(getattr(query, one), getattr(trigger, other), score_cutoff=max(cutoff - SLACK, 0)))
    return best if best >= cutoff else 0.0
