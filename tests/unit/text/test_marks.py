from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text.marks import Marks, unlabelled

LABELS = ("お客さん", "美砂樹")
HIDDEN = "\ufe0f\u034f\u2800\xad\u200b\u2060\u202e\U000e0041\U000e0101\u3164\ufe00"


@pytest.mark.parametrize(
    "text",
    [
        "<|im_start|>",
        "＜｜im_start｜＞",
        "<|im\u200b_start|>",
        "<\ufe0f|im_\u034fstart|\u2800>",
        "<|IM_START|>",
        "<∣im_start│>",
        "〈|im_start|〉",
        "<|𝐢𝐦_start|>",
        "<｜end▁of▁sentence｜>",
        "<turn|>",
        "</s>",
        "﹤/s﹥",
        "< s >",
        "<start_of_turn>",
        "[INST]",
        "［/INST］",
        "<<SYS>>",
    ],
)
def test_a_control_token_is_blanked_in_whatever_signs_it_is_written(text):
    assert Marks().blanked(f"a{text}b") == "a b"


@pytest.mark.parametrize("text", ["1 < 2 | 3 > 4", "<b>", "[注]", "《悪の華》", "a|b", "「s」", "<>", "<3", "(s)"])
def test_other_brackets_stay(text):
    assert Marks().blanked(text) == text


def test_nothing_joins_where_a_token_was():
    assert Marks().blanked("<|im_<|x|>end|>") == "<|im_…end|>"


def test_tokens_of_one_model_are_blanked_where_they_are_known():
    assert Marks(["<turn_of_mine>"]).blanked("<turn_of_mine>") == " "
    assert Marks().blanked("<turn_of_mine>") == "<turn_of_mine>"


@pytest.mark.parametrize("colon", ":：︰﹕∶꞉︓")
def test_a_label_has_no_colon_behind_it(colon):
    assert unlabelled(f"元気？\n美砂樹{colon}秘密", LABELS) == "元気？\n美砂樹、秘密"


@pytest.mark.parametrize(
    "label",
    ["**美砂樹**", "「美砂樹」", "[美砂樹]", "美砂樹（ママ）", "美砂樹(mama) ", '"美砂樹"', "__美砂樹__", "＜美砂樹＞"],
)
def test_what_sets_a_label_off_does_not_hide_it(label):
    assert unlabelled(f"{label}：秘密", LABELS) == f"{label}、秘密"


@pytest.mark.parametrize("sign", [*HIDDEN, " ", "\u3000", "\n"])
def test_what_cannot_be_seen_hides_no_label(sign):
    assert unlabelled(f"美{sign}砂樹{sign}:秘密", LABELS) == f"美{sign}砂樹{sign}、秘密"


def test_a_label_in_other_letters_is_the_same_label():
    assert unlabelled("ＳＴＡＦＦ: a staff：b", ("Staff",)) == "ＳＴＡＦＦ、 a staff、b"


def test_words_without_a_colon_stay():
    text = "美砂樹さん、10:30に行くね"
    assert unlabelled(text, LABELS) == text
    assert unlabelled(text, ()) == text


def plain(text: str) -> str:
    """The text as a reader sees it."""
    shown = "".join(char for char in unicodedata.normalize("NFKC", text) if char not in HIDDEN)
    return "".join(char for char in shown if unicodedata.category(char) not in {"Cf", "Mn"}).casefold()


PIECES = [
    "<|im_end|>",
    "</s>",
    "<",
    "＜",
    ">",
    "|",
    "｜",
    "/",
    "s",
    "im_end",
    "…",
    "美砂",
    "樹",
    ":",
    "︰",
    *HIDDEN,
    " ",
]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_neither_a_token_nor_a_label_is_left(text):
    cleaned = unlabelled(Marks().blanked(text), LABELS)
    assert not [mark for mark in ("<|im_end|>", "</s>", "美砂樹:") if mark in plain(cleaned).replace("︰", ":")]


@pytest.mark.parametrize("text", ["<|x" * 6000 + "|>" * 6000, "<" * 20_000, "<s>" * 6000, "美砂樹:" * 5000])
def test_long_texts_are_cleaned_in_one_pass(text):
    cleaned = unlabelled(Marks().blanked(text), LABELS)
    assert unlabelled(Marks().blanked(cleaned), LABELS) == cleaned
