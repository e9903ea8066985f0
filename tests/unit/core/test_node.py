from __future__ import annotations

import pytest

from engine.core.node import MAX_DIGITS, parse_reference, resolve, surprise


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None),
        (" 7 ", 7),
        ("true", True),
        ("small", "small"),
        ("'7'", "7"),
        (' "true" ', "true"),
        ("''", ""),
        ("'", "'"),
        ("'x\"", "'x\""),
        ("x'", "x'"),
        ("xx", "xx"),
    ],
)
def test_the_default_of_a_variable_is_a_plain_or_a_quoted_word(written, value):
    assert parse_reference(f"${{X:{written}}}").default == value


@pytest.mark.parametrize(("most", "longer"), [("1" * MAX_DIGITS, "1"), ("1." + "1" * (2 * MAX_DIGITS - 2), "1")])
def test_a_number_that_a_float_cannot_hold_stays_text(most, longer):
    assert surprise(most) is None
    assert resolve(most) == float(most)
    assert surprise(most + longer) == "a number that is rounded"
    assert resolve(most + longer) == most + longer
