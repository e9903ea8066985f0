"""A text taken apart once, so that scoring and comparing only look at plain data. Knows words, not triggers.

A `Form` holds strings and tuples of strings: a compiled pipeline stores the forms of its triggers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from engine.core.record import replace
from engine.matching import grammar, traits
from engine.matching.clause import Clause
from engine.matching.colloquial import plain
from engine.matching.content import clauses
from engine.matching.form import ContentWord, Form
from engine.matching.lexicon import NOTHING, Lexicon
from engine.matching.romaji import read_latin
from engine.text.normalise import flatten, fold, hiragana, normalise, repeated, undrawn
from engine.text.words import read

LOOKED_AT = 500
"""Characters that are taken apart: no trigger is nearly as long, and some patterns are quadratic."""

_KATAKANA = re.compile("([ァ-ヺ][ァ-ヺー]*)")
_SIGNS = re.compile(r"[^\w\s、。,.!?…・'\"“”「」『』()〜~\-/&+%¥$:;]+")
"""Emoji and other signs that no dictionary reads."""
_O = "おこごそぞとどのほぼぽもよょろ"
_E = "えけげせぜてでねへべぺめれ"
_LONG = re.compile(
    f"っ|を|ー|う(?<=[{_O}]う)|お(?<=[{_O}]お)|い(?<=[{_E}]い)|え(?<=[{_E}]え)"
    "|あ(?<=[かがさざただなはばぱまやゃらわ]あ)|い(?<=[きぎしじちぢにひびぴみり]い)|う(?<=[くぐすずつづぬふぶぷむゆゅる]う)"
)
_LATIN = re.compile("[a-z]+")


def form(text: str, lexicon: Lexicon = NOTHING) -> Form:
    """Take a text apart. Never fails; a text of signs alone gives a form whose only content is `text`."""
    return _whole(text, lexicon)[0]


def unread(text: str) -> Form:
    """The form of a text that is looked for as it stands: its normal form, and no words."""
    return Form(
        text=normalise(text),
        core="",
        bag="",
        sound="",
        words=(),
        spare=(),
        numbers=(),
        questions=(),
        times=(),
        marks=(),
        signs="",
        negative=False,
        short=True,
        effort=0,
    )


def takes(text: str, lexicon: Lexicon = NOTHING) -> tuple[Form, ...]:
    """The form of the whole text, then those of its parts that may decide alone: what is left without openers, and the
    clause that says most, and the last one where it leads on from a remark.
    """
    whole, found, real = _whole(text, lexicon)
    if len(found) < 2:
        return (whole,)
    parts: list[Sequence[Clause]] = [] if len(real) == len(found) else [real]
    if len(real) > 1:
        most = max(range(len(real)), key=lambda place: (real[place].informs, real[place].weight, place))
        if not any(clause.concedes for clause in real[most + 1 :]):
            parts.append([real[most]])
        if most != len(real) - 1 and real[-1].leads:
            parts.append([real[-1]])
    return (whole, *(_part(whole, part) for part in parts))


def _whole(text: str, lexicon: Lexicon) -> tuple[Form, Sequence[Clause], Sequence[Clause]]:
    """The form of the whole text, its clauses, and those of them that do more than open it."""
    folded = fold(text)
    full = flatten(folded) or normalise(text)
    said = _steady(plain(folded[:LOOKED_AT]))
    words, effort = read(said)
    found = clauses(words, lexicon)
    _hand_on(found)
    real = [clause for clause in found if not clause.opens] or found
    return _form(full, said, real, effort), found, real


_PERSONS = frozenset({"me", "you", "called"})


def _hand_on(found: Sequence[Clause]) -> None:
    """Who is told of or talked to in an opener is so in the next clause: 俺、疲れた."""
    for clause, following in pairwise(found):
        if clause.opens:
            following.marks |= clause.marks & _PERSONS


def _part(whole: Form, part: Sequence[Clause]) -> Form:
    """Quotation and irony reach over clauses."""
    written = " ".join(clause.written for clause in part)
    return replace(_form(flatten(written), written, part, read(written)[1]), signs=whole.signs)


def steady(text: str) -> str:
    """What is analysed of a text."""
    return _steady(plain(fold(text)[:LOOKED_AT]))


def _steady(text: str) -> str:
    """Without what is drawn out; a long vowel in katakana is part of its word (ビール)."""
    text = _SIGNS.sub(" ", text)
    if text.isascii():
        return repeated(text)
    pieces = _KATAKANA.split(text)
    pieces[::2] = [repeated(undrawn(piece)) for piece in pieces[::2]]
    pieces[1::2] = [repeated(re.sub("ー{2,}", "ー", piece)) for piece in pieces[1::2]]
    return "".join(pieces)


def _form(full: str, written: str, parts: Sequence[Clause], effort: int) -> Form:
    words = [word for clause in parts for word in clause.words]
    spare = [one for clause in parts for one in clause.spare]
    numbers = tuple(sorted(number for clause in parts for number in clause.numbers))
    questions = tuple(sorted({asked for clause in parts for asked in clause.questions}))
    times = tuple(sorted({time for clause in parts for time in clause.times}))
    bare = not numbers and all(word[0] in grammar.FUNCTIONAL for word in words)
    if bare:
        words += _standing_in(parts, beside=bool(words), asked=bool(questions))
    for kinds in (("telling",), ("filler", "request")):
        words = words or [(form, form, form, True) for form, kind in spare if kind in kinds and bare]
    told = [word[0] for word in words]
    beside = [*numbers, *questions, *times]
    return Form(
        text=full,
        core="".join([*told, *beside]),
        bag=" ".join(sorted({*told, *numbers, *questions, *_dated(times, parts)})),
        sound=heard("".join(clause.reading for clause in parts)),
        words=tuple(words),
        spare=tuple(spare),
        numbers=numbers,
        questions=questions,
        times=times,
        marks=tuple(sorted({mark for clause in parts for mark in clause.marks} | ({"bare"} if bare else set()))),
        signs=traits.signs(written),
        negative=traits.negative(written),
        short=bare or len(words) + len(numbers) + len(questions) < 2,
        effort=effort,
    )


def _dated(times: Sequence[str], parts: Sequence[Clause]) -> Sequence[str]:
    """The times by which a text is found; what happened did so at some time (`compare.time`)."""
    happened = any("past" in clause.marks for clause in parts) and grammar.PAST_TIMES.issuperset(times)
    return () if happened else times


def _standing_in(parts: Sequence[Clause], *, beside: bool, asked: bool) -> list[ContentWord]:
    """The words that count where there is no content, or little; a question word needs nothing that it points at."""
    if beside:
        return [word for clause in parts for word in clause.pointing]
    return [word for clause in parts for kind, word in clause.standing_in if kind == "light" or not asked]


@lru_cache(maxsize=8192)
def heard(reading: str) -> str:
    """Katakana and Latin words as they sound: without long vowels; a last は is said わ."""
    steady = _LONG.sub("", hiragana(_LATIN.sub(lambda match: read_latin(match[0]), reading)))
    return f"{steady[:-1]}わ" if steady.endswith("は") else steady
