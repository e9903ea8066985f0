"""Learns to tell kinds apart, and judges each example by all the others: multinomial naive Bayes over TF-IDF.

Counted in one pass, the same on every machine. McCallum and Nigam, "A comparison of event models for naive Bayes text
classification" (1998); texts are vectors of TF-IDF with length 1, as in Rennie et al., "Tackling the poor assumptions
of naive Bayes text classifiers" (2003). To leave an example out, what it added to the counts is taken off again, which
naive Bayes allows without learning anew.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import exp, log, sqrt

from engine.core.record import record
from engine.core.table import make_table
from engine.kinds.model import ALPHA, BUCKETS, IDF_STEP, SHIFT, WEIGHT_STEP, hashed

MOST_FEATURES = 98_000
"""Features that are stored, the most frequent ones: with them a model stays below 1.5 MB."""

Example = tuple[str, list[str]]
"""A kind with the features of one of its sentences."""


@record
class Counts:
    """The sums over all examples.

    `mass` holds for each feature, by the position of a kind, the sum of its TF-IDF in that kind's examples; `totals`
    the sums over all features by kind; `idf` the weight of each feature.
    """

    kinds: tuple[str, ...]
    idf: Mapping[str, float]
    mass: Mapping[str, Mapping[int, float]]
    totals: Sequence[float]


def count(examples: Sequence[Example]) -> Counts:
    """The counts of `examples`; kinds stand in the order of their first example."""
    kinds = tuple(dict.fromkeys(kind for kind, _ in examples))
    places = {kind: place for place, kind in enumerate(kinds)}
    counted = [(places[kind], times(found)) for kind, found in examples]
    seen: Counter[str] = Counter()
    held: dict[str, int] = {}
    for place, found in counted:
        seen.update(found.keys())
        for feature in found:
            held[feature] = held.get(feature, 0) | 1 << place
    # What stands in more than half of the kinds tells little and takes most of the time.
    most = max(len(kinds) / 2, 2)
    idf = {
        feature: log((1 + len(examples)) / (1 + often)) + 1
        for feature, often in seen.items()
        if held[feature].bit_count() <= most
    }
    mass: dict[str, dict[int, float]] = {feature: {} for feature in idf}
    totals = [0.0] * len(kinds)
    for place, found in counted:
        for feature, weight in weighed(found, idf).items():
            row = mass[feature]
            row[place] = row.get(place, 0.0) + weight
            totals[place] += weight
    return Counts(kinds=kinds, idf=idf, mass=mass, totals=totals)


def times(found: Sequence[str]) -> Mapping[str, int]:
    """Counts how often each feature occurs; mostly once, and counting takes long."""
    once = dict.fromkeys(found, 1)
    return once if len(once) == len(found) else Counter(found)


def weighed(found: Mapping[str, int], idf: Mapping[str, float]) -> dict[str, float]:
    """The known features of a text as a vector of length 1."""
    vector = {feature: often * idf[feature] for feature, often in found.items() if feature in idf}
    length = sqrt(sum(weight * weight for weight in vector.values()))
    return {feature: weight / length for feature, weight in vector.items()}


def learn(examples: Sequence[Example]) -> bytes:
    """Learns a model for `KindModel` from `examples`."""
    return _stored(count(examples))


def base_of(totals: Iterable[float], features: int) -> list[float]:
    """Gives by kind the log probability of a feature that was never seen in it."""
    return [log(ALPHA) - log(total + ALPHA * features) for total in totals]


def _stored(counts: Counts) -> bytes:
    """The tables of `KindModel`: features by their hash, each with the kinds in which it was seen."""
    kept = sorted(counts.idf, key=lambda feature: (counts.idf[feature], feature))[:MOST_FEATURES]
    rows = sorted({hashed(feature): feature for feature in kept}.items())
    hashes, idf, ends, kinds, weights = array("I"), array("B"), array("I"), array("B"), array("B")
    buckets = array("I", bytes(4 * (BUCKETS + 1)))
    for number, feature in rows:
        hashes.append(number)
        idf.append(min(255, round(counts.idf[feature] / IDF_STEP)))
        for place, mass in sorted(counts.mass[feature].items()):
            kinds.append(place)
            weights.append(min(255, round(log((ALPHA + mass) / ALPHA) / WEIGHT_STEP)))
        ends.append(len(kinds))
        buckets[(number >> SHIFT) + 1] += 1
    for place in range(BUCKETS):
        buckets[place + 1] += buckets[place]
    head = {"kinds": counts.kinds, "base": base_of(counts.totals, len(counts.idf))}
    tables = (buckets, hashes, idf, ends, kinds, weights)
    return make_table([json.dumps(head).encode(), *(table.tobytes() for table in tables)])


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
