"""Opens the stored model of kinds where it lies, and asks it for the chance of each kind.

Naive Bayes is a sum: each feature of a text speaks for the kinds in whose examples it stood, by a weight of its own.
Weights are stored in one byte, features by a hash of 32 bits; a text's unknown feature is taken for a known one about
once in 40,000 features.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from math import exp, sqrt
from typing import Any
from zlib import crc32

from engine.core.expression import LazyMapping
from engine.core.ports import SentenceKinds
from engine.core.record import record
from engine.core.table import Damaged, Table

ALPHA = 0.05
"""What is added to every count, so that no feature rules a kind out."""

IDF_STEP = 0.05
WEIGHT_STEP = 0.03
"""What one in a stored byte stands for."""

SHIFT = 16
BUCKETS = 1 << (32 - SHIFT)
"""Hashes are looked up among those with the same leading bits."""


def hashed(feature: str) -> int:
    return crc32(feature.encode("utf-8", "replace"))


@record
class _Tables:
    kinds: tuple[str, ...]
    base: tuple[float, ...]
    buckets: memoryview
    hashes: memoryview
    idf: bytes
    ends: memoryview
    places: bytes
    weights: bytes


class KindModel:
    """Immutable, and shared by all turns. Asking raises `Damaged` where what is stored is not what was written."""

    def __init__(self, load: Callable[[], memoryview]) -> None:
        """`load` gives what `engine.kinds.learning.learn` made; it is called when the first text comes."""
        self._load = load

    @cached_property
    def stored(self) -> memoryview:
        return self._load()

    def learn(self) -> None:
        """Learn now what is otherwise learned when the first text comes, so that no turn waits for it."""
        _ = self.stored

    @property
    def kinds(self) -> tuple[str, ...]:
        return self._tables.kinds

    def chances(self, text: str) -> dict[str, float]:
        """The probability of each kind, likeliest first."""
        tables = self._tables
        sums = [0.0] * len(tables.kinds)
        whole = 0.0
        for _, weight, held in self._weighed(text):
            whole += weight
            for place, told in held:
                sums[place] += weight * told
        scores = [total * WEIGHT_STEP + base * whole for total, base in zip(sums, tables.base, strict=True)]
        best = max(scores)
        odds = [exp(score - best) for score in scores]
        norm = sum(odds)
        ranked = sorted(range(len(odds)), key=lambda place: (-odds[place], place))
        return {tables.kinds[place]: odds[place] / norm for place in ranked}

    def reasons(self, text: str, kind: str, other: str) -> list[tuple[str, float]]:
        """The features that speak for `kind` rather than `other`, with how much, strongest first."""
        tables = self._tables
        one, two = tables.kinds.index(kind), tables.kinds.index(other)
        found = []
        for feature, weight, held in self._weighed(text):
            by_place = dict(held)
            learned = (by_place.get(one, 0) - by_place.get(two, 0)) * WEIGHT_STEP
            found.append((feature, weight * (learned + tables.base[one] - tables.base[two])))
        return sorted((pair for pair in found if pair[1] > 0), key=lambda pair: -pair[1])

    def _weighed(self, text: str) -> Iterator[tuple[str, float, Iterable[tuple[int, int]]]]:
        """The known features of `text`, with their weights in it and what they say of which kinds."""
        from engine.kinds.features import features  # noqa: PLC0415 - a dictionary, for those who ask for a kind

        tables = self._tables
        hashes, buckets, idf, ends = tables.hashes, tables.buckets, tables.idf, tables.ends
        places, weights = tables.places, tables.weights
        known = []
        square = 0
        for feature, often in Counter(features(text)).items():
            number = crc32(feature.encode("utf-8", "replace"))
            bucket = number >> SHIFT
            row, end = buckets[bucket], buckets[bucket + 1]
            # One or two stand in a bucket.
            while row < end:
                if hashes[row] == number:
                    weight = often * idf[row]
                    square += weight * weight
                    known.append((feature, weight, row))
                    break
                row += 1
        length = sqrt(square)
        for feature, weight, row in known:
            first, end = ends[row - 1] if row else 0, ends[row]
            yield feature, weight / length, zip(places[first:end], weights[first:end], strict=True)

    @cached_property
    def _tables(self) -> _Tables:
        table = Table(self.stored)
        try:
            head = json.loads(bytes(table[0]))
            return _Tables(
                kinds=tuple(head["kinds"]),
                base=tuple(head["base"]),
                buckets=table[1].cast("I"),
                hashes=table[2].cast("I"),
                idf=bytes(table[3]),
                ends=table[4].cast("I"),
                places=bytes(table[5]),
                weights=bytes(table[6]),
            )
        except (LookupError, TypeError, ValueError) as error:
            raise Damaged("the model of kinds is not what was written") from error


def names_of_kind(model: SentenceKinds | None, text: str) -> Mapping[str, Any]:
    """`name` and `second` are the likeliest kinds, `sure` is the chance of the first, `chance` holds that of each."""
    if model is None:
        return {}
    kind = LazyMapping(
        {},
        {
            "chance": lambda: model.chances(text),
            "name": lambda: next(iter(kind["chance"])),
            "sure": lambda: next(iter(kind["chance"].values())),
            "second": lambda: next(islice(kind["chance"], 1, None), None),
        },
    )
    return kind
