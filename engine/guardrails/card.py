"""Finds numbers of payment cards: as long as their first digits say, with a check digit that is right."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.guardrails.numbers import counts, digits_of, is_labelled, passes_luhn

_BREAK = r"(?: ?-{1,2} ?| {1,2}|・|/)"
_WHOLE = r"\d{13,19}"
_IN_FOURS = rf"\d{{4}}{_BREAK}\d{{4}}{_BREAK}\d{{4}}{_BREAK}\d{{1,4}}(?:{_BREAK}\d{{1,3}})?"
_IN_THREE = rf"\d{{4}}{_BREAK}\d{{6}}{_BREAK}\d{{4,5}}"
_OTHERWISE = r"\d{4}(?P<sign>[._:|=~〜,、])\d{4}(?P=sign)\d{4}(?P=sign)\d{4}"
_NUMBER = re.compile(
    rf"(?<![\dA-Za-z])(?<!\d[-.,])(?:{_IN_FOURS}|{_OTHERWISE}|{_IN_THREE}|{_WHOLE})(?![\dA-Za-z]|[-.,]\d)"
)
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|"
    r"3(?:0[0-5]|[689]\d)\d{11,16}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|22\d|4[4-9]\d|5\d\d)\d{12,15}|62\d{14,17}|(?:5[06-8]|6\d)\d{11,17}"
)
"""Visa, Mastercard, American Express, Diners Club, JCB, Discover, UnionPay, Maestro."""


def find(text: str) -> Iterator[tuple[int, int]]:
    place = 0
    while (found := _NUMBER.search(text, place)) is not None:
        end = _end(text, found)
        if end is not None:
            yield found.start(), end
        place = end or found.start() + 1


def _end(text: str, found: re.Match[str]) -> int | None:
    """The end of the number, which what stands behind a space may not belong to."""
    number = found[0]
    while len(number) >= 13:
        digits = digits_of(number)
        end = found.start() + len(number)
        if _ISSUED.fullmatch(digits) and passes_luhn(digits):
            is_other = counts(text, found.start(), end) or is_labelled(text, found.start())
            return None if is_other else end
        number, space, _ = number.rpartition(" ")
        if not space:
            return None
    return None
