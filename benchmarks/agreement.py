"""Queries that are difficult for the exact filter, each answered twice: by the stored index, and by comparing all texts
with rapidfuzz. The replies, their scores and their order must be the same, guards and ties included.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from benchmarks.measure import Row, Samples
from engine.matching.close import columns
from engine.matching.index import Parts, TriggerIndex
from engine.matching.search import ListSearch
from engine.matching.trigger import NOTHING, Form, Trigger

QUERIES = 24_000
TRIGGERS = 320
ALPHABETS = (
    ("ab", 8),
    ("ab", 200),
    ("あい", 12),
    ("あいうえおかきくけこ", 12),
    ("abc猫犬0123", 3),
    ("aab\U0001f600é", 40),
    ("がか゛\u3099", 9),
    ("猫犬ない明日二２ですか", 10),
)
"""The characters of the texts of one index, and the length of its longest one."""

THRESHOLDS = (100.0, 99.99, 90.0, 85.71428571428571, 80.0, 79.99, 66.66, 50.0)


def rows() -> Iterator[Row]:
    """How many of the queries are answered in two ways."""
    per_index = QUERIES // len(ALPHABETS)
    found = sum(disagreements(alphabet, longest, per_index) for alphabet, longest in ALPHABETS)
    what = f"of {QUERIES:,} adversarial queries, those with another answer than by comparing all"
    yield Row(id="index.agreement", what=what, ours=Samples((float(found),)), at_most=0, unit=(1, ""))


def disagreements(alphabet: str, longest: int, queries: int) -> int:
    """Of so many queries to texts of this alphabet, those that the two indexes answer differently."""
    chance = random.Random(f"{alphabet} {longest}")
    texts = [_text(chance, alphabet, longest) for _ in range(TRIGGERS)]
    texts += chance.choices(texts, k=TRIGGERS // 5)
    triggers = [
        Trigger(kind="fuzzy", text=text, reply=place // 2, priority=place % 3) for place, text in enumerate(texts)
    ]
    stored, brute = _both(triggers)
    return sum(not _agree(stored, brute, _query(chance, texts, alphabet, longest), chance) for _ in range(queries))


def _both(triggers: Sequence[Trigger]) -> tuple[TriggerIndex, TriggerIndex]:
    built = TriggerIndex.build(triggers)
    forms: Sequence[Form] = built.forms
    stored = TriggerIndex.stored({name: memoryview(data) for name, data in built.store().items()})
    parts = Parts.of(triggers, forms, NOTHING)
    return stored, TriggerIndex(triggers, forms, ListSearch(columns(triggers, forms)), parts, NOTHING)


def _agree(one: TriggerIndex, other: TriggerIndex, query: str, chance: random.Random) -> bool:
    threshold = chance.choice(THRESHOLDS)
    return list(one.candidates(query, threshold)) == list(other.candidates(query, threshold))


def _query(chance: random.Random, texts: Sequence[str], alphabet: str, longest: int) -> str:
    """A text of its own, or one of `texts`; half of them with a character put in or changed."""
    query = chance.choice(texts) if chance.random() < 0.5 else _text(chance, alphabet, longest)
    if chance.random() < 0.5:
        place = chance.randrange(len(query))
        query = query[:place] + chance.choice(alphabet) + query[place + chance.randint(0, 1) :]
    return query


def _text(chance: random.Random, alphabet: str, longest: int) -> str:
    return "".join(chance.choices(alphabet, k=chance.randint(1, longest)))
