"""Finds individual numbers (My Number): twelve digits, the last of which checks the others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.guardrails.numbers import counts, digits_of, is_labelled

_NUMBER = re.compile(
    r"(?<![\dA-Za-z])(?<!\d[-.,/])(?:\d{12}|\d{4} ?-{1,2} ?\d{4} ?-{1,2} ?\d{4}|"
    r"\d{4}(?P<sign> {1,2}|[・._:|=~〜])\d{4}(?P=sign)\d{4})"
    r"(?![\dA-Za-z]|[-.,/]\d| ?-? ?\d{4}(?!\d))"
)


_LEAST_DIGITS = 4
"""Different ones; a row of fewer is made up: one number in 20,000 has so few."""


def find(text: str) -> Iterator[tuple[int, int]]:
    for found in _NUMBER.finditer(text):
        start, end = found.span()
        if is_individual(digits_of(found[0])) and not counts(text, start, end) and not is_labelled(text, start):
            yield start, end


def is_individual(digits: str) -> bool:
    """Whether the last of twelve `digits` is the check digit: ordinance no. 85 of 2014 of the Ministry of Internal
    Affairs, article 5.
    """
    if len(set(digits)) < _LEAST_DIGITS:
        return False
    *others, check = (int(digit) for digit in digits)
    weighted = sum(digit * weight for digit, weight in zip(others, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True))
    rest = weighted % 11
    return check == (0 if rest <= 1 else 11 - rest)
