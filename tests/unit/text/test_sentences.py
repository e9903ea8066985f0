"""Replies as sentences: joined they are the reply again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text.sentences import sentences


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("こんばんは。今日は寒いわねえ！", ["こんばんは。", "今日は寒いわねえ！"]),
        ("Hi there. It costs 3.50 now. Ok?", ["Hi there.", " It costs 3.50 now.", " Ok?"]),
        ("あら…ほんと？！", ["あら…ほんと？！"]),
        ("「いいわね。」そう言ったの", ["「いいわね。」", "そう言ったの"]),
        ("一行目\n二行目", ["一行目", "\n二行目"]),
        ("a", ["a"]),
        ("", [""]),
        ("そうね。\n\nええ… \n", ["そうね。", "\n\nええ… \n"]),
        ("Wait... ok", ["Wait...", " ok"]),
    ],
)
def test_sentences(text, parts):
    assert sentences(text) == parts


@given(st.text(alphabet="あ。！？!?.…」 \n3a"))
def test_nothing_is_lost(text):
    assert "".join(sentences(text)) == text
