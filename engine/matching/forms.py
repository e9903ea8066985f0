"""A text taken apart once, so that scoring and the guards only compare plain data. Knows grammar, not triggers.

A `Form` holds strings and tuples of strings alone: a compiled artefact can store the forms of its triggers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.matching import grammar, traits
from engine.matching.clauses import Chunk, clauses, content
from engine.matching.form import Form
from engine.matching.loanwords import skeleton
from engine.matching.normalise import IDEOGRAPH, flatten, fold, hiragana, normalise, repeated, undrawn
from engine.matching.readings import heard

LOOKED_AT = 500
"""Characters that are taken apart: no trigger is nearly as long, and some patterns are quadratic."""

_KANJI = re.compile(IDEOGRAPH)
_KATAKANA = re.compile("[ァ-ヺ]{2,}")
_LATIN = re.compile("[a-z]{2,}")
_LONG = re.compile(
    f"っ|を|う(?<=[{grammar.O}]う)|お(?<=[{grammar.O}]お)|い(?<=[{grammar.E}]い)|え(?<=[{grammar.E}]え)"
    "|あ(?<=[かがさざただなはばぱまやゃらわ]あ)|い(?<=[きぎしじちぢにひびぴみり]い)|う(?<=[くぐすずつづぬふぶぷむゆゅる]う)"
)
TELLING = 2
"""More consonants than so many tell a foreign word that stands alone."""
_ALONE = "--"
"""Behind such a word: what is as short, and stands beside others, is not close to it."""
_TINY = re.compile("[ぁ-ゖ]{1,2}")
"""Two kana have no room for a difference: such a text has no forms to be close to but itself."""
_LOANWORD = re.compile("[ァ-ヺ][ァ-ヺー]{2,}\\W*")
"""One with a long vowel, as ビール, is longer than its normal form."""
_DOUBLE = re.compile(r"([ぁ-ヿa-z ])\1+")


def form(text: str) -> Form:
    """Take a text apart. Never fails; a text of signs alone gives a form whose only content is `text`."""
    folded = fold(text)
    full = flatten(folded) or normalise(text)
    folded = folded[:LOOKED_AT]
    steady = repeated(undrawn(folded))
    parts = clauses(folded)
    taken = [content(part, alone=len(parts) == 1) for part in parts]
    chunks = [chunk for part, _ in taken for chunk in part]
    written = [chunk.written for chunk in chunks]
    marks = "".join(dict.fromkeys("".join(mark for _, mark in taken)))
    core, ordered = _spoken(written) + marks, sorted(written)
    if _TINY.fullmatch(full) and not _LOANWORD.fullmatch(folded):
        core, ordered = "", written
    sound, spelled = heard(full[:LOOKED_AT])
    questions, times, persons = traits.closed(full[:LOOKED_AT])
    return Form(
        text=full,
        core=core,
        turned=_turned(taken) + marks if len(taken) > 1 else "",
        bag=_spoken(ordered) + marks if ordered != written else core,
        borrowed=_borrowed(chunks, marks),
        sound=_heard(sound) if core else "",
        spelled=spelled,
        kanji="".join(sorted(set(_KANJI.findall("".join(written))))),
        words=(*map(hiragana, _KATAKANA.findall(steady)), *_english(written)),
        numbers=traits.numbers(steady),
        questions=questions,
        times=times,
        persons=persons,
        signs=traits.signs(steady),
        negative=traits.negative(steady),
    )


def _english(written: list[str]) -> list[str]:
    """The Latin words, those that only join others left out where any else is said."""
    words = [word for word in written if _LATIN.fullmatch(word)]
    return [word for word in words if word not in grammar.ENGLISH_STOP] or words


def _heard(sound: str) -> str:
    """Without long vowels; a last は is said わ."""
    steady = _LONG.sub("", sound)
    return f"{steady[:-1]}わ" if steady.endswith("は") else steady


def _turned(taken: list[tuple[list[Chunk], str]]) -> str:
    return _spoken(chunk.written for part, _ in reversed(taken) for chunk in part)


def _borrowed(chunks: list[Chunk], marks: str) -> str:
    if all(chunk.borrowed == chunk.written for chunk in chunks):
        return ""
    told = [chunk for chunk in chunks if chunk.borrowed]
    if len(told) == 1:
        # Nothing beside it tells it from others: ビール has the consonants of bill.
        return f"{told[0].borrowed}{_ALONE}{marks}" if len(skeleton(told[0].written)) > TELLING else ""
    return _drawn("".join(chunk.borrowed for chunk in told)) + marks


def _spoken(chunks: Iterable[str]) -> str:
    """Joined, without what drawing out and sloppy typing change: long vowels, doubled sounds, を. Latin words stay
    apart.
    """
    return _drawn("".join(f"{chunk} " if chunk.isascii() else chunk for chunk in chunks))


def _drawn(text: str) -> str:
    return _LONG.sub("", _DOUBLE.sub(r"\1", text) if len(set(text)) < len(text) else text)
