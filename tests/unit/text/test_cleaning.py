from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text.cleaning import clean, covered


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  こんばんは\n", "こんばんは"),
        ("\ufeffこんばんは", "こんばんは"),
        ("こん\u200bばん\u200cは", "こんばんは"),
        ("\u202eこんばんは\u2069", "こんばんは"),
        ("こ\x00ん\x1bば\x7fん\x9bは", "こんばんは"),
        ("\ud800こんばんは\udfff", "こんばんは"),
        ("一\r\n二\r三\u2028四\x0b五", "一\n二\n三\n四\n五"),
        ("甲\t乙", "甲\t乙"),
        ("\U000e0061\U000e0062見えない", "見えない"),
        ("葛\U000e0100城", "葛城"),
        ("\u3000\u200b \ufeff", ""),
        ("👨\u200d👩\u200d👧 と ❤️\u200d🔥", "👨\u200d👩\u200d👧 と ❤️\u200d🔥"),
        ("a\u200db", "ab"),
        ("ｺﾝﾊﾞﾝﾊ", "ｺﾝﾊﾞﾝﾊ"),
    ],
)
def test_clean(raw, cleaned):
    assert clean(raw) == cleaned


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_clean_stays_as_it_is_and_can_be_stored(raw):
    cleaned = clean(raw)
    assert clean(cleaned) == cleaned
    assert "\x00" not in cleaned
    cleaned.encode()


KEYS = [
    "sk-" + "a1B2" * 8,
    "AKIA" + "A1B2C3D4E5F6G7H8",
    "hf_" + "aB3" * 8,
    "ghp_" + "x9" * 14,
    "-----BEGIN RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_covered(key):
    shown = covered(f"key: {key} end")
    assert key not in shown
    assert len(shown) == len(f"key: {key} end")


@pytest.mark.parametrize("text", ["こんばんは", "sk-ip", "risk-free-evening", "AKIARA", "https://example.org/hf_model"])
def test_ordinary_words_are_not(text):
    assert covered(text) == text
