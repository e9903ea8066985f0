"""Reads a text as words, by an analyser for Japanese and a light stemmer for English. Knows no triggers, no kinds.

SudachiPy with its small dictionary, in mode A (the shortest units: 不|合格, 取り|消す). The dictionary is opened when
the first text is analysed, which takes 15 ms and 35 MB; docs/decisions/0003-matching.md compares it with others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from engine.core.record import record
from engine.text import english

if TYPE_CHECKING:
    from sudachipy import Morpheme, Tokenizer

LONGEST = 900
"""Characters that are analysed; the rest of a longer text is left out. The analyser refuses a text of over 49,149
bytes, and unfolds a ligature to 54 of them.
"""

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
_MADE_UP = 0x0FFFFFFF
"""The number of a word that is made of parts which the dictionary has; what it cannot read has larger ones."""
_STRAY = 2
"""So few Latin letters behind hiragana were left over in typing."""
_STRAY_EFFORT = 6000
_LOCK = Lock()
_MOST_KEPT = 4096
"""Words that are kept."""
_KEPT: dict[tuple[int, str], Word] = {}
"""Known words by their number in the dictionary and as they were written; changed while the lock is held."""


def analyse(text: str) -> tuple[Word, ...]:
    """The words of a text in order, punctuation among them, blanks left out. May be called from any thread."""
    return read(text)[0]


def read(text: str) -> tuple[tuple[Word, ...], int]:
    """The words of a text, and what its best reading costs the dictionary: a slip makes words that hardly stand beside
    each other. Words in Latin letters cost nothing, but for a stray letter behind hiragana.
    """
    text = _SURROGATE.sub("�", text[:LONGEST])
    words: list[Word] = []
    place = effort = 0
    for match in _LATIN_WORD.finditer(text):
        effort += _japanese(text[place : match.start()], words)
        words += _latin(match[0])
        if len(match[0]) <= _STRAY and "ぁ" <= text[match.start() - 1 : match.start()] <= "ゖ":
            effort += _STRAY_EFFORT
        place = match.end()
    effort += _japanese(text[place:], words)
    return tuple(words), effort


@lru_cache(maxsize=_MOST_KEPT)
def _latin(written: str) -> Sequence[Word]:
    return [
        Word(surface=written, form=english.stem(word), lemma=word, tags=_LATIN_TAGS, reading=word)
        for word in english.opened(written.lower())
    ]


def _japanese(text: str, words: list[Word]) -> int:
    """Adds the words of `text`, and gives what they cost."""
    if not text.strip():
        return 0
    # A tokenizer works on one text at a time.
    with _LOCK:
        found = _tokenizer().tokenize(text)
        words += [word for word in map(_word, found) if word.tags[0] != _BLANK]
        return int(found.get_internal_cost())


def _word(morpheme: Morpheme) -> Word:
    """Most words of a text were in others before; the dictionary tells nothing else of them."""
    number, surface = morpheme.word_id(), morpheme.surface()
    word = _KEPT.get((number, surface))
    if word is None:
        word = Word(
            surface=surface,
            form=morpheme.normalized_form(),
            lemma=morpheme.dictionary_form(),
            tags=morpheme.part_of_speech(),
            reading=morpheme.reading_form(),
            known=number < _MADE_UP,
        )
        if word.known:
            if len(_KEPT) >= _MOST_KEPT:
                _KEPT.clear()
            _KEPT[number, surface] = word
    return word


@cache
def _tokenizer() -> Tokenizer:
    from sudachipy import Dictionary, SplitMode

    return Dictionary(dict="small").create(mode=SplitMode.A)
