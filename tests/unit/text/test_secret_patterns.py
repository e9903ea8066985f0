from __future__ import annotations

import pytest

from engine.text.secret_patterns import covered

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
