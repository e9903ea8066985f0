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


WRITTEN = {
    "phone": "090-1234-5678",
    "postal_code": "〒150-0043",
    "card": "4111-1111-1111-1111",
    "my_number": "1234-5678-9018",
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize(
    "digits",
    [
        "０１２３４５６７８９",
        "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
        "⓪①②③④⑤⑥⑦⑧⑨",
        "⓿❶❷❸❹❺❻❼❽❾",
        "⁰¹²³⁴⁵⁶⁷⁸⁹",
        "٠١٢٣٤٥٦٧٨٩",
        "零壱弐参四五六七八九",
        "🯰🯱🯲🯳🯴🯵🯶🯷🯸🯹",
    ],
)
def test_a_number_is_found_in_whatever_digits(name, digits):
    value = WRITTEN[name].translate(str.maketrans("0123456789", digits))
    assert found(f"{value}です") == [(name, value.removeprefix("〒"))]


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("sign", "-﹘﹣⁻₋ｰー･·•_~〜─一➖⸺:|.\u2009\u2002\u3000")
def test_a_number_is_found_with_whatever_sign_between(name, sign):
    value = WRITTEN[name].replace("-", sign)
    assert found(f"{value}です") == [(name, value.removeprefix("〒"))]


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_drawn_upon_digits_and_spaces_between_them_hide_nothing(name):
    value = WRITTEN[name].removeprefix("〒")
    for written in (
        "".join(f"{char}\ufe0f\u20e3" if char != "-" else char for char in value),
        value.replace("-", "--"),
    ):
        assert found(f"〒{written}です" if name == "postal_code" else f"{written}です") == [(name, written)]
    spaced = " ".join(value.replace("-", ""))
    assert found(f"〒{spaced}です" if name == "postal_code" else f"{spaced}です") == [(name, spaced)]


@pytest.mark.parametrize(
    "value",
    [
        *("taro﹫example.com", "taro @ example.com", "taro[at]example[dot]com", "taro at example dot com"),
        *("taro@example｡com", "𝓽𝓪𝓻𝓸@𝓮𝔁𝓪𝓶𝓹𝓵𝓮.𝓬𝓸𝓶", "täro@exämple.com", "太郎@example.jp", "taro@日本.jp"),
        *('"taro y"@example.com', "taro@[192.0.2.1]", "taroアットマークexample.com", "taro★example.com"),
    ],
)
def test_an_address_is_found_in_whatever_signs(value):
    assert found(f"「{value}」へ") == [("email", value)]


@pytest.mark.parametrize("text", ["電話は0901234-5678", "山田、090-1010-2020、3月生まれ", "090-1234-5678|12|27"])
def test_a_phone_number_ends_where_another_thing_begins(text):
    assert [name for name, _ in found(text)] == ["phone"]


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
