"""A text as words: a morphological analyser for Japanese, a light stemmer for English. Knows no triggers and no kinds.

SudachiPy with its small dictionary, in mode A (the shortest units: 不|合格, 取り|消す). The dictionary is opened when
the first text is analysed, which takes 15 ms and 35 MB; docs/decisions/0003-matching.md compares it with others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from engine.model.record import record
from engine.text import english

if TYPE_CHECKING:
    from sudachipy import Tokenizer

LONGEST = 2000
"""Characters that are analysed; the rest of a longer text is left out."""

LATIN = "英語"
"""The first tag of a word in Latin letters, which the dictionary does not see."""


@record
class Word:
    """One word.

    `surface` is as written; `form` the dictionary's normalised form, one for all spellings and inflections of a word
    (取り is 取る, ウィスキー is ウイスキー, 二十 is 20, `closed` is `clos`); `lemma` the dictionary form as spelled;
    `tags` the part of speech, most general first, ending in the inflection (`*` where there is none), or `LATIN` alone;
    `reading` is in katakana, or the word itself in Latin letters; `known` tells whether the dictionary has it.
    """

    surface: str
    form: str
    lemma: str
    tags: tuple[str, ...]
    reading: str
    known: bool = True


_LATIN_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LATIN_TAGS = (LATIN,)
_BLANK = "空白"
_LOCK = Lock()


def analyse(text: str) -> tuple[Word, ...]:
    """The words of a text in order, punctuation among them, blanks left out. May be called from any thread."""
    text = _SURROGATE.sub("�", text[:LONGEST])
    words: list[Word] = []
    place = 0
    for match in _LATIN_WORD.finditer(text):
        words += _japanese(text[place : match.start()])
        words += _latin(match[0])
        place = match.end()
    words += _japanese(text[place:])
    return tuple(words)


def _latin(written: str) -> Iterator[Word]:
    for word in english.opened(written.lower()):
        yield Word(surface=written, form=english.stem(word), lemma=word, tags=_LATIN_TAGS, reading=word)


def _japanese(text: str) -> list[Word]:
    if not text.strip():
        return []
    # A tokenizer works on one text at a time.
    with _LOCK:
        found = [
            Word(
                surface=morpheme.surface(),
                form=morpheme.normalized_form(),
                lemma=morpheme.dictionary_form(),
                tags=tuple(morpheme.part_of_speech()),
                reading=morpheme.reading_form(),
                known=not morpheme.is_oov(),
            )
            for morpheme in _tokenizer().tokenize(text)
        ]
    return [word for word in found if word.tags[0] != _BLANK]


@cache
def _tokenizer() -> Tokenizer:
    from sudachipy import Dictionary, SplitMode  # noqa: PLC0415 - 20 ms that what is said word for word does not need

    return Dictionary(dict="small").create(mode=SplitMode.A)
