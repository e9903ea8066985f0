import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from engine.matching.forms import form
from engine.matching.scorer import PAIRS, comparable, score


def test_a_hundred_is_kept_for_the_same_normal_form():
    assert score(form("コンバンハ！"), form("こんばんは")) == 100
    assert score(form("こんばんわ"), form("こんばんは")) == 99


def test_a_loanword_is_closer_to_a_request_in_its_own_script():
    alone = form("ハイボール")
    assert score(alone, form("ハイボールください")) > score(alone, form("highball please")) >= 80


def test_another_spelling_is_worth_less_than_another_ending():
    assert score(form("今晩は"), form("こんばんは")) == 90


@pytest.mark.parametrize(
    ("utterance", "trigger"),
    [
        ("こんばんわ", "こんばんは"),
        ("辞めたいよ、仕事", "仕事辞めたい"),
        ("思い出した、財布を", "財布を思い出した"),
        ("モニタ映らない", "モニターが映らない"),
        ("リモワ", "リモートワークしたい"),
        ("printer please", "プリンターください"),
    ],
)
def test_close(utterance, trigger):
    assert score(form(utterance), form(trigger)) >= 80


@pytest.mark.parametrize(
    ("utterance", "trigger"),
    [
        ("こんにちは", "こんばんは"),
        ("ありがとうございません", "ありがとう"),
        ("うんざりする", "うん"),
        ("はいれない", "はい"),
        ("俺ってバカだな", "バカ"),
        ("プリンター", "parental leave"),
        ("ビール", "bill please"),
        ("友達になって", "友達が吐いてる"),
        ("彼女いる？", "彼女になって"),
    ],
)
def test_far(utterance, trigger):
    assert score(form(utterance), form(trigger)) < 80


@pytest.mark.parametrize(
    ("query", "trigger", "expected"),
    [
        ("", "", False),
        ("", "abc", False),
        ("abc", "abd", True),
        ("abc", "ab", False),
        ("ab", "ab", True),
        ("了解T", "了解", True),
        ("a ", "ai ", False),
        ("ai R", "ai ", True),
    ],
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
        asked, stored = getattr(query, pair.query), getattr(trigger, pair.trigger)
        if comparable(asked, stored):
            best = max(best, min(fuzz.ratio(asked, stored) * pair.weight, pair.most))
    assert score(query, trigger) == best
