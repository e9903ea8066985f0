"""The content words of a text, clause by clause, and what its grammar means. Knows words and grammar, no triggers.

A word that changes nothing (address, filler, politeness, intensity, a time that is now) is set apart as spare; where
a clause has nothing else, the spare words are its content: `それでいい` and `もういい` are not one sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.matching.clause import PAUSES, Clause, Here
from engine.matching.japanese import OF_A_SUBJECT, read_japanese
from engine.matching.latin import read_latin_word
from engine.matching.lexicon import Lexicon
from engine.text.words import LATIN, Word

_JOINING = frozenset("・-/&+")


def clauses(words: Sequence[Word], lexicon: Lexicon) -> list[Clause]:
    """The clauses that say anything, in order."""
    found = [Clause()]
    place = 0
    while place < len(words):
        word = words[place]
        if word.tags[0] in PAUSES and word.surface not in _JOINING:
            if "?" in word.form and not (place and _agrees(words[place - 1])):
                found[-1].marks.add("asks")
            if found[-1].written:
                found.append(Clause())
            place += 1
            continue
        place += _read(Here(words, place, found[-1], lexicon))
    return [clause for clause in found if clause.written]


def _agrees(word: Word) -> bool:
    """Whether a question mark behind this word only asks for a nod: いいよね."""
    return word.tags[1:2] == ("終助詞",) and word.form in ("ね", "よ", "な")


def _read(here: Here) -> int:
    """Reads a word into its clause; how many were taken."""
    own = here.lexicon.at(here.words, here.place)
    if own is not None:
        return _own(here, *own)
    if here.word.tags[0] == LATIN:
        here.take()
        read_latin_word(here)
        return 1
    return read_japanese(here)


def _own(here: Here, size: int, kind: str, name: str) -> int:
    """A word of the pipeline's own."""
    here.take(size)
    if kind == "address":
        here.clause.spare.append((name, kind))
        after = here.words[here.place + size] if here.place + size < len(here.words) else None
        here.clause.marks.add("you" if after is not None and after.form in OF_A_SUBJECT else "called")
    else:
        taken = here.words[here.place : here.place + size]
        surface, reading = "".join(word.surface for word in taken), "".join(word.reading for word in taken)
        here.clause.words.append((name, surface, reading, True))
    return size
