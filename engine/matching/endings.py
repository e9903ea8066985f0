"""What ends a Japanese clause without being its content: politeness, particles, auxiliaries, inflection. Knows grammar.

Texts here are plain hiragana and kanji, in normal form.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.matching import grammar

BESIDE_CONTENT, BESIDE_CLAUSES, ALONE = 1, 3, 99
"""How long an ending must be to be the whole text: after other content any may be, in a lonely clause none."""


def _by_last() -> dict[str, tuple[str, ...]]:
    """The endings by their last character, longest first."""
    grouped: dict[str, list[str]] = {}
    for ending in sorted(grammar.ENDINGS, key=len, reverse=True):
        grouped.setdefault(ending[-1], []).append(ending)
    return {last: tuple(endings) for last, endings in grouped.items()}


_BY_LAST = _by_last()
_LEAST_KANA = dict.fromkeys("なわさかし", 3) | dict.fromkeys("がのはをにもへとでやべけ", 4)
_PREDICATES = frozenset("たるいだ")


class Ending(NamedTuple):
    """What is left without the ending; what the ending meant, as marks; and whether the verb's own ending went with it
    (書いた without いた), so that no more may be taken off.
    """

    body: str
    marks: str
    inflected: bool


def without_ending(text: str, whole: int = ALONE) -> Ending:
    """Takes ending after ending off; `whole` is the least length of an ending that may be the whole text."""
    marks, inflected, joined = "", False, False
    while ending := _longest(text, whole):
        text = text.removesuffix(ending)
        meant = grammar.ENDINGS[ending]
        if meant.endswith(grammar.JOINED):
            joined = True
            text, inflected = _inflection(text + ("で" if ending[0] in "でどじ" else "て"), grammar.TE_FORMS)
        marks = "".join(mark for mark in meant if mark not in marks and mark != grammar.JOINED) + marks
    if joined:
        return Ending(text, marks, inflected)
    past, inflected = _inflection(text, grammar.TA_FORMS)
    if past != text:
        return Ending(past, grammar.PAST + marks, inflected)
    asked, inflected = _inflection(text, grammar.TE_FORMS)
    if asked != text and grammar.REQUEST not in marks:
        marks = grammar.REQUEST + marks
    return Ending(asked, marks, inflected)


def _longest(text: str, whole: int) -> str:
    for ending in _BY_LAST.get(text[-1:], ()):
        if text.endswith(ending) and _fits(text[: -len(ending)], ending, whole):
            return ending
    return ""


def _fits(rest: str, ending: str, whole: int) -> bool:
    """Whether content is left: any kanji, else two kana, and more where a particle may be part of the word."""
    if not rest:
        return len(ending) >= whole
    if ending == "って" and rest.endswith("にな"):
        # 友達になって asks for something, 友達って does not.
        return False
    if ending in grammar.AFTER_PREDICATE and rest[-1] not in _PREDICATES:
        return False
    if not is_kana(rest[-1]) or not is_kana(rest[0]):
        return True
    return len(rest) >= _LEAST_KANA.get(ending, 2)


def _inflection(text: str, forms: frozenset[str]) -> tuple[str, bool]:
    for size in (3, 2, 1):
        rest = text[:-size]
        if text[-size:] in forms and rest and (len(rest) > 1 or not is_kana(rest)):
            return rest, size > 1
    return text, False


def stem(chunk: str, *, only: bool) -> str:
    """Drops the vowel that inflection changes: 帰る, 帰り and 帰ら give 帰; 疲れる and 疲れ give 疲れ.

    `only`: nothing else is said, so a word in kana keeps at least two.
    """
    if not chunk:
        return chunk
    native = not is_kana(chunk[0])
    if native and chunk[-1] == "う" and chunk[-2:-1] in grammar.O:
        return chunk[:-2]
    shortest = 2 if only and not native else 1
    if len(chunk) <= shortest or chunk[-1] not in grammar.INFLECTED:
        return chunk
    if chunk[-1] == "る" and chunk[-2] in grammar.I_ROW and len(chunk) > shortest + 1:
        return chunk[:-2]
    return chunk[:-1]


def is_kana(char: str) -> bool:
    """Whether a single character is hiragana."""
    return "ぁ" <= char <= "ゖ"
