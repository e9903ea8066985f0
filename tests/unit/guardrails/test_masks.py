"""What masks find in the labelled sentences and at the edges of each rule, and what they leave alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.masks import DATA, judge, ours, read
from engine.guardrails.masks import MASKS, find_all
from engine.guardrails.my_number import is_individual
from engine.guardrails.numbers import fold, passes_luhn


def found(text):
    return [(one.mask, text[one.start : one.end]) for one in find_all(text, MASKS)]


def test_the_labelled_sentences_keep_what_is_promised():
    sentences = read(DATA)
    score = judge(sentences, ours(sentences))
    assert len(sentences) == 400
    assert score.found.total() >= 0.98 * score.wanted.total()
    assert len(score.false) <= 0.01 * score.harmless


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("090-1234-5678 3000円", [("phone", "090-1234-5678")]),
        ("090-1234-5678 080-1234-5678", [("phone", "090-1234-5678"), ("phone", "080-1234-5678")]),
        ("〒150-0001 03-1234-5678", [("postal_code", "150-0001"), ("phone", "03-1234-5678")]),
        ("taro.09012345678@example.jp", [("email", "taro.09012345678@example.jp")]),
        ("090-1234-5678日曜に", [("phone", "090-1234-5678")]),
        ("090-1234-567", []),
        ("090-1234-56789", []),
        ("03-1234-5678-90", []),
        ("A09012345678", []),
        ("TEL09012345678", [("phone", "09012345678")]),
        ("2026-11-30 19:30", []),
        ("4945807302157366", []),
        ("447978910241", []),
        ("x" * 200 + "@example.jp", [("email", "x" * 100 + "@example.jp")]),
        ("a@b", []),
    ],
)
def test_an_edge(text, values):
    assert found(text) == values


@pytest.mark.parametrize(
    "text", ["注文番号は0312345678", "オーダーナンバー：447978910240", "JANコードは4945807302157365"]
)
def test_a_number_that_is_said_to_be_another_stays(text):
    assert found(text) == []


def test_check_digits():
    assert passes_luhn("4945807302157365")
    assert sum(passes_luhn(f"494580730215736{last}") for last in range(10)) == 1
    assert sum(is_individual(f"44797891024{last}") for last in range(10)) == 1


@given(st.text("0123456789０９〇一ー-−()（） .,@＠aA円個番のは電話\n+〒", max_size=80))
def test_whatever_is_written_spans_are_in_order_and_apart(text):
    assert len(fold(text)) == len(text)
    place = 0
    for one in find_all(text, MASKS):
        assert place <= one.start < one.end <= len(text)
        place = one.end


@pytest.mark.parametrize(
    "piece", ["0", "09", "0-", "1 ", "(", "a.", "a@", "@a.", "4111 ", "電話は", "の", "番号の", "0 (", "一"]
)
def test_long_texts_take_time_in_proportion(piece):
    """Rules that tried each place against the whole rest would not end here."""
    assert isinstance(find_all(piece * (100_000 // len(piece)), MASKS), list)
