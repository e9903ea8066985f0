import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from engine.matching.forms import form
from engine.matching.scorer import PAIRS, comparable, score


def test_a_hundred_is_kept_for_the_same_normal_form():
    assert score(form("コンバンハ！"), form("こんばんは")) == 100
    assert score(form("疲れたわ"), form("疲れた")) == 99


@pytest.mark.parametrize(
    ("query", "trigger", "expected"),
    [("", "", False), ("", "abc", False), ("abc", "abd", True), ("abc", "ab", False), ("ab", "ab", True)],
)
def test_very_short_forms_are_the_same_or_nothing(query, trigger, expected):
    assert comparable(query, trigger) is expected


@pytest.mark.parametrize("threshold", [0.0, 50.0, 79.2, 80.0, 85.714, 88.0, 90.0, 99.0, 100.0])
def test_no_ratio_below_a_cutoff_reaches_the_threshold(threshold):
    for pair in PAIRS:
        cutoff = pair.cutoff(threshold)
        if cutoff is None:
            assert pair.score(100.0) < threshold
        else:
            assert 0.0 <= cutoff <= 100.0
            assert cutoff == 0.0 or pair.score(cutoff) < threshold


@given(st.text("かきくけ帰りますないアレab ー、", max_size=12), st.text("かきくけ帰りますないアレab ー、", max_size=12))
def test_the_score_is_the_best_of_the_pairs(one, other):
    query, trigger = form(one), form(other)
    best = 0.0
    for pair in PAIRS:
        asked, stored = getattr(query, pair.name), getattr(trigger, pair.name)
        if comparable(asked, stored):
            best = max(best, min(fuzz.ratio(asked, stored) * pair.weight, pair.most))
    assert score(query, trigger) == best
