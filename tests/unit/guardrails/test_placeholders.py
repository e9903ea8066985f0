"""What a model outside is shown in the place of personal data, and how that comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.turn import Exchange, Labels, Message, Prompt
from engine.guardrails.masks import MASKS
from engine.guardrails.placeholders import mask_prompt, masked

PHONE, OTHER = "090-1234-5678", "０３（１２３４）５６７８"


def prompt(text="", system="", history=(), examples=()):
    return Prompt(system=system, examples=examples, history=history, text=text, labels=Labels("客", "店"))


def test_equal_data_has_one_placeholder_in_all_of_a_prompt_and_what_was_said_is_numbered_first():
    asked = prompt(
        text=f"{OTHER}は？",
        system=f"本店は03-9999-8888、{PHONE}",
        history=(Message("user", f"{PHONE}よ"),),
        examples=(Exchange(f"{OTHER}?", "taro@example.com"),),
    )
    safe, placeholders = mask_prompt(asked, MASKS)
    assert safe.history == (Message("user", "[電話1]よ"),)
    assert safe.text == "[電話2]は？"
    assert safe.system == "本店は[電話3]、[電話1]"
    assert safe.examples == (Exchange("[電話2]?", "[メール1]"),)
    assert placeholders.restore(safe.text) == asked.text


def test_what_a_guest_writes_like_a_placeholder_stands_for_nothing():
    safe, placeholders = mask_prompt(prompt(text=f"[電話1]と【電話 ２】と[Phone 3]、{PHONE}"), MASKS)
    assert safe.text == "[電話1]と【電話 ２】と[Phone 3]、[電話4]"
    assert placeholders.restore(safe.text) == f"[電話1]と【電話 ２】と[Phone 3]、{PHONE}"


@pytest.mark.parametrize(
    "said",
    [
        "[電話1]",
        "［電話１］",
        "【電話1】",
        "[ 電話 1 ]",
        "[電話番号1]",
        "[Phone1]",
        "[phone 1]",
        "[PHONE_1]",
        r"\[電話1\]",
    ],
)
def test_a_placeholder_that_the_model_changed_a_little_is_known(said):
    _, placeholders = mask_prompt(prompt(text=PHONE), MASKS)
    assert placeholders.restore(f"**{said}**ね") == f"**{PHONE}**ね"


def test_one_that_the_model_made_up_stays():
    _, placeholders = mask_prompt(prompt(text=PHONE), MASKS)
    assert placeholders.restore("[電話2]と[メール1]") == "[電話2]と[メール1]"


def test_masks_that_are_not_asked_for_cover_nothing():
    assert masked(f"{PHONE} taro@example.com", ["email"]) == f"{PHONE} [メール1]"


@given(
    st.lists(
        st.sampled_from(
            [PHONE, OTHER, "taro@example.jp", "[電話1]", "【メール２】", "150-0001", "、", "\n", "ね", "[", "]"]
        )
    )
)
def test_an_echo_is_what_was_asked(pieces):
    text = "、".join(pieces)
    safe, placeholders = mask_prompt(prompt(text=text), MASKS)
    assert placeholders.restore(safe.text) == text
    assert not any(value in safe.text for value in (PHONE, OTHER, "taro@example.jp"))
