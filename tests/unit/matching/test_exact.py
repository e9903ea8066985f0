"""The column's answer is that of comparing every text, whatever the texts are."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz, process

from engine.core.table import Damaged
from engine.matching.exact import Column, make_bitmaps


def column(texts: Sequence[str], **how: int) -> Column:
    return Column(texts, memoryview(make_bitmaps(texts, **how)))


def brute(texts: Sequence[str], query: str, cutoff: float) -> list[tuple[int, str, float]]:
    found = process.extract(query, texts, scorer=fuzz.ratio, score_cutoff=cutoff, limit=None)
    return sorted((row, text, ratio) for text, ratio, row in found if text)


def random_text(chance: random.Random, alphabet: str, longest: int) -> str:
    return "".join(chance.choices(alphabet, k=chance.randint(0, longest)))


@pytest.mark.parametrize(
    ("alphabet", "longest"),
    [
        ("ab", 8),
        ("ab", 200),
        ("あいうえおかきくけこ", 12),
        ("abc猫犬0123", 3),
        ("aab\U0001f600é", 40),
        ("がか゛\u3099", 9),
    ],
)
def test_the_same_as_comparing_all(alphabet, longest):
    chance = random.Random(alphabet)
    for size in (1, 7, 400):
        texts = [random_text(chance, alphabet, longest) for _ in range(size)]
        texts += chance.choices(texts, k=size // 5)
        tried = column(texts)
        for _ in range(1150):
            query = chance.choice(texts) if chance.random() < 0.3 else random_text(chance, alphabet, longest)
            if query and chance.random() < 0.5:
                place = chance.randrange(len(query))
                query = query[:place] + chance.choice(alphabet) + query[place + chance.randint(0, 1) :]
            cutoff = chance.choice([100.0, 99.99, 90.0, 85.714, 80.0, 79.99, 66.66, 50.0, 20.0, 1.0, 0.0])
            assert sorted(tried.matches(query, cutoff)) == brute(texts, query, cutoff)


def test_the_same_at_the_very_edge_of_the_cutoff():
    chance = random.Random(5)
    texts = [random_text(chance, "abc", 12) for _ in range(300)]
    tried = column(texts)
    for _ in range(300):
        query = random_text(chance, "abc", 12)
        ratio = fuzz.ratio(query, chance.choice(texts))
        for cutoff in (ratio, ratio - 1e-9, ratio + 1e-9, ratio - 0.01):
            if 0 < cutoff <= 100:
                assert sorted(tried.matches(query, cutoff)) == brute(texts, query, cutoff)


@settings(max_examples=150)
@given(
    st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=25),
    st.text(max_size=12),
    st.floats(min_value=0.5, max_value=100),
)
@example(["bab"], "bxab", 85.71428571428572)
@example(["", "a"], "", 80.0)
@example(["\ud800"], "\ud800", 100.0)
def test_the_same_for_any_text(texts, query, cutoff):
    assert sorted(column(texts).matches(query, cutoff)) == brute(texts, query, cutoff)


def test_the_same_over_several_segments():
    chance = random.Random(9)
    texts = [random_text(chance, "あいうえおかきくけこさし", 14) for _ in range(1000)]
    tried = column(texts, segment=64)
    for _ in range(400):
        query = random_text(chance, "あいうえおかきくけこさし", 14)
        assert sorted(tried.matches(query, 60.0)) == brute(texts, query, 60.0)


def test_a_twin_stands_in_for_texts_of_the_same_characters():
    chance = random.Random(8)
    texts = [random_text(chance, "あいうえおか", 9) for _ in range(400)]
    turned = [text[::-1] if place % 7 else f"{text}き" for place, text in enumerate(texts)]
    own = [text if not place % 7 else "" for place, text in enumerate(turned)]
    tried = Column(turned, memoryview(make_bitmaps(own)), column(texts))
    for _ in range(300):
        query = random_text(chance, "あいうえおかき", 9)
        assert sorted(tried.matches(query, 70.0)) == brute(turned, query, 70.0)
        assert sorted(tried.matches(query[::-1], 70.0)) == brute(turned, query[::-1], 70.0)


def test_few_of_many_texts_are_compared():
    chance = random.Random(3)
    letters = "".join(map(chr, range(0x3042, 0x3094)))
    texts = ["".join(chance.choices(letters, k=10)) for _ in range(5000)]
    tried = column(texts)
    passing = [len(tried.rows(query, 0.8)) for query in texts[:50]]
    assert max(passing) < 50


def test_damage_is_noticed_when_it_is_met():
    texts = ["こんばんは", "こんにちは"]
    bitmaps = make_bitmaps(texts)
    damaged = bitmaps[:-50] + bytes(byte ^ 1 for byte in bitmaps[-50:])
    tried = Column(texts, memoryview(damaged))
    with pytest.raises(Damaged):
        tried.matches("こんばんは", 80.0)
