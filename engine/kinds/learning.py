"""Learns to tell kinds apart: multinomial naive Bayes over TF-IDF, counted in one pass, the same on every machine.

McCallum and Nigam, "A comparison of event models for naive Bayes text classification" (1998); texts are vectors of
TF-IDF with length 1, as in Rennie et al., "Tackling the poor assumptions of naive Bayes text classifiers" (2003).
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log, sqrt

from engine.core.record import record
from engine.core.table import make_table
from engine.kinds.model import ALPHA, BUCKETS, IDF_STEP, SHIFT, WEIGHT_STEP, hashed

MOST_FEATURES = 110_000
"""Features that are stored, the most frequent ones: with them a model stays below 1.5 MB."""

Example = tuple[str, list[str]]
"""A kind with the features of one of its sentences."""


@record
class Counts:
    """What examples add up to.

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
    """How often each feature occurs; mostly once, and counting takes long."""
    once = dict.fromkeys(found, 1)
    return once if len(once) == len(found) else Counter(found)


def weighed(found: Mapping[str, int], idf: Mapping[str, float]) -> dict[str, float]:
    """The known features of a text as a vector of length 1."""
    vector = {feature: often * idf[feature] for feature, often in found.items() if feature in idf}
    length = sqrt(sum(weight * weight for weight in vector.values()))
    return {feature: weight / length for feature, weight in vector.items()}


def learn(examples: Sequence[Example]) -> bytes:
    """A model for `KindModel`, learned from `examples`."""
    return _stored(count(examples))


def base_of(totals: Iterable[float], features: int) -> list[float]:
    """By kind, the log probability of a feature that was never seen in it."""
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
