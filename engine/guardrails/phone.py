"""Finds telephone numbers: Japanese ones in all their forms, and those with a country's code.

The numbering plan tells them from other numbers: the first digits give the length. A number that is written without a
break has less to show for itself, so there what stands around it counts more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.guardrails.numbers import costs, counts, digits_of, is_labelled

_BREAK = r"(?: ?-{1,2} ?| ?[.・/_:|=~〜,、…] ?|\) ?-?| ?\(| {1,2}|の)"
_DOMESTIC = re.compile(rf"\(?0\d{{1,10}}(?:{_BREAK}\d{{1,8}}){{0,3}}(?!\d)")
_ABROAD = re.compile(
    r"(?:\+ ?|(?<!\d)0(?:10|0\d?)[- ]?(?=81))\d{1,3}[- .]?(?:\(0\)[- ]?)?\(?\d{1,11}\)?(?:[- .]{1,2}\d{1,8}){0,4}(?!\d)"
    r"|(?<![\d-])81-[1-9]\d?-\d{3,4}-\d{4}(?![\d-])"
)
_AMERICAN = re.compile(r"(?<![\d-])(?:\([2-9]\d\d\) ?|[2-9]\d\d[-.])[2-9]\d\d[-.]\d{4}(?![\d-])")
_LOCAL = re.compile(r"(?<![\d-])[2-9]\d{1,3}[- ]\d{4}(?![\d-])")
_CALLED = re.compile(
    r"(?:電話|でんわ|携帯|ケータイ|スマホ|TEL|FAX|ファックス|ファクス|phone|mobile|cell|call me at)"
    r"(?:の?番号)?(?:は|が|も|なら|is|→|[ :：.・/])*$",
    re.IGNORECASE,
)
_LETTERS = re.compile("[A-Za-z0-9]")
_GLUED = re.compile("[-.]")
_LOOSE = (" ", "の", "(", *":|=~〜,、…")
"""Behind these something else may stand than the rest of a number."""
_SEPARATOR = re.compile(_BREAK)
_LAST = re.compile(rf"{_BREAK}\d+$")
_MOBILE = re.compile("0[5-9]0|020[1-9]")
"""Mobile, pager and IP telephones have eleven digits, and 0800; all others ten."""
_LANDLINE = re.compile("0(?:[1-9][1-9]|120|170|180|570|990)")


def find(text: str) -> Iterator[tuple[int, int]]:
    yield from _domestic(text)
    for pattern in (_ABROAD, _AMERICAN):
        for found in pattern.finditer(text):
            is_long = 9 <= len(digits_of(found[0])) <= 15
            if is_long and not counts(text, *found.span()) and not is_labelled(text, found.start()):
                yield found.span()
    for found in _LOCAL.finditer(text):
        if _is_called(text, found.start()) and not counts(text, *found.span()):
            yield found.span()


def _domestic(text: str) -> Iterator[tuple[int, int]]:
    place = 0
    while (found := _DOMESTIC.search(text, place)) is not None:
        end = _end(text, found)
        if end is not None:
            yield found.start(), end
        place = end or found.start() + 1


def _end(text: str, found: re.Match[str]) -> int | None:
    """Where the number ends that begins as `found`, if it is one: groups behind a space may be another number's."""
    start, number = found.span()[0], found[0]
    if start and (text[start - 1].isdecimal() or re.search(r"\d[-./]$", text[max(0, start - 2) : start])):
        return None
    while True:
        end = start + len(number)
        if _is_number(number) and not _GLUED.match(text, end) and _stands_alone(text, start, end, number):
            return end
        last = _LAST.search(number)
        if last is None or not last[0].startswith(_LOOSE):
            return None
        number = number[: last.start()]


def _is_number(number: str) -> bool:
    groups = [group for group in _SEPARATOR.split(number.removeprefix("(")) if group]
    digits = "".join(groups)
    if len(groups) > 1 and ((len(groups[0]) > 5 and tuple(map(len, groups)) != (7, 4)) or len(groups[-1]) < 3):
        return False
    if number.startswith("(") and ")" not in number:
        return False
    if _MOBILE.match(digits):
        return len(digits) == 11
    return len(digits) == 10 and _LANDLINE.match(digits) is not None


def _stands_alone(text: str, start: int, end: int, number: str) -> bool:
    if not number.isdecimal():
        return not (costs(text, start, end) or (is_labelled(text, start) and len(digits_of(number)) == 10))
    if counts(text, start, end) or is_labelled(text, start) or _LETTERS.match(text, end):
        return False
    return start == 0 or not _LETTERS.match(text[start - 1]) or _is_called(text, start)


def _is_called(text: str, start: int) -> bool:
    return _CALLED.search(text, max(0, start - 16), start) is not None
