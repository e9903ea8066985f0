from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.golden.report.console import Piece, expected_side, got_side, pieces


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_pieces_are_both_texts(expected, got):
    found = pieces(expected, got)
    assert "".join(piece.text for piece in expected_side(found)) == expected
    assert "".join(piece.text for piece in got_side(found)) == got


@pytest.mark.parametrize(
    ("expected", "got", "changes"),
    [
        ("今夜も来てくれて嬉しいわ。", "今日も来てくれて嬉しいわ。", [("gone", "夜"), ("new", "日")]),
        ("冷たいビールをどうぞ", "冷たいハイボールをどうぞ", [("gone", "ビール"), ("new", "ハイボール")]),
        ("Good evening, dear.", "Good morning, dear.", [("gone", "evening"), ("new", "morning")]),
        ("同じ", "同じ", []),
        ("", "新しい", [("new", "新しい")]),
    ],
)
def test_only_what_differs_is_marked(expected, got, changes):
    found = [piece for piece in pieces(expected, got) if piece.kind != "same"]
    assert found == [Piece(kind, text) for kind, text in changes]


def test_one_character_between_changes_is_part_of_the_change():
    found = pieces("赤い花と白い鳥", "青い空と黒い雲")
    assert [piece.kind for piece in found].count("same") <= 1
