"""How often kinds are told apart, and which examples the others would put elsewhere: each is judged by all the others.

To leave an example out, what it added to the counts is taken off again, which naive Bayes allows without learning anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import exp, log

from engine.core.record import record
from engine.kinds.learning import Counts, Example, base_of, count, weighed
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
    held = {
        feature: [(place, log((ALPHA + mass) / ALPHA)) for place, mass in row.items()]
        for feature, row in counts.mass.items()
        if counts.idf[feature] < rarest
    }
    places = {kind: place for place, kind in enumerate(counts.kinds)}
    for number, (kind, found) in enumerate(examples):
        chances = _without(Counter(found), places[kind], counts, held)
        best = max(range(len(chances)), key=lambda place: (chances[place], -place))
        yield Judged(place=number, kind=kind, told=counts.kinds[best], sure=chances[best])


def _without(found: Counter[str], own: int, counts: Counts, held: dict[str, list[tuple[int, float]]]) -> list[float]:
    """The chance of each kind for an example of kind `own` that the counts have not seen."""
    added = weighed(found, counts.idf)
    totals = list(counts.totals)
    totals[own] -= sum(added.values())
    bases = base_of(totals, len(counts.idf))
    known = {feature: often for feature, often in found.items() if feature in held}
    sums = [0.0] * len(bases)
    whole = 0.0
    for feature, weight in weighed(known, counts.idf).items():
        whole += weight
        for place, told in held[feature]:
            sums[place] += weight * told
        mass = counts.mass[feature][own]
        left = max(mass - added[feature], 0.0)
        sums[own] += weight * log((ALPHA + left) / (ALPHA + mass))
    scores = [total + base * whole for total, base in zip(sums, bases, strict=True)]
    best = max(scores)
    odds = [exp(score - best) for score in scores]
    return [one / sum(odds) for one in odds]
