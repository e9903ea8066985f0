"""How often kinds are told apart, and which examples the others would put elsewhere: each is judged by all the others.

To leave an example out, what it added to the counts is taken off again, which naive Bayes allows without learning anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import exp, log, sqrt

from engine.core.record import record
from engine.kinds.learning import Counts, Example, base_of, count, times
from engine.kinds.model import ALPHA


@record
class Judged:
    """An example by its position: its own kind, the likeliest one by all others, and how likely that is."""

    place: int
    kind: str
    told: str
    sure: float


def judge_each(examples: Sequence[Example]) -> Iterator[Judged]:
    """Every example as the model would judge it that has learned from all the others."""
    counts = count(examples)
    rarest = max(counts.idf.values(), default=0.0)
    # What stands in one example alone tells nothing of it once it is left out.
    held = {
        feature: [(place, log((ALPHA + mass) / ALPHA)) for place, mass in row.items()]
        for feature, row in counts.mass.items()
        if counts.idf[feature] < rarest
    }
    bases = base_of(counts.totals, len(counts.idf))
    places = {kind: place for place, kind in enumerate(counts.kinds)}
    for number, (kind, found) in enumerate(examples):
        scores = _without(times(found), places[kind], counts, held, bases)
        best = max(scores)
        told = counts.kinds[scores.index(best)]
        yield Judged(place=number, kind=kind, told=told, sure=1 / sum(exp(score - best) for score in scores))


def _without(
    found: Mapping[str, int],
    own: int,
    counts: Counts,
    held: Mapping[str, Sequence[tuple[int, float]]],
    bases: Sequence[float],
) -> list[float]:
    """The log probability of each kind, but for a constant, for an example of kind `own` that counts have not seen."""
    idf = counts.idf
    weights = {feature: often * idf[feature] for feature, often in found.items() if feature in idf}
    length = sqrt(sum(weight * weight for weight in weights.values()))
    known = [(feature, weight) for feature, weight in weights.items() if feature in held]
    if not known:
        return [0.0] * len(bases)
    sums = [0.0] * len(bases)
    for feature, weight in known:
        for place, told in held[feature]:
            sums[place] += weight * told
        mass = counts.mass[feature][own]
        sums[own] += weight * log((ALPHA + max(mass - weight / length, 0.0)) / (ALPHA + mass))
    left = base_of([counts.totals[own] - sum(weights.values()) / length], len(idf))
    whole = sum(weight for _, weight in known)
    unit = sqrt(sum(weight * weight for _, weight in known))
    rest = [*bases[:own], *left, *bases[own + 1 :]]
    return [(total + base * whole) / unit for total, base in zip(sums, rest, strict=True)]
