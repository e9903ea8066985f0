"""A folded text as clauses, and a clause as the chunks of content that remain without grammar. Knows no triggers.

There is no dictionary of words here: chunks come from the change of script, from particles, and from the endings of
the closed classes. What is cut wrongly is cut the same way in the utterance and in the trigger.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.matching import grammar
from engine.matching.normalise import hiragana, undrawn
from engine.matching.readings import read_kanji, read_latin


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of content as written (in hiragana where it was katakana) and as heard (all hiragana)."""

    written: str
    heard: str


_BREAK = re.compile(r"[^\w\s]+|_+|(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")
_RUN = re.compile(r"([一-鿿々]+)|([ぁ-ゖゝゞ]+)|([a-z]+)|[ァ-ヺ]+|\d+|[^\s\d]")
_KANJI, _KANA, _LATIN = 1, 2, 3
_EMPTY = grammar.ENGLISH_STOP | grammar.ENGLISH_NOT
_INTERJECTION = re.compile("[あいうえおはふへほんっやぁ]{1,3}")
_QUESTION = re.compile("どこ|いつ|だれ|なに|なん|どう|どれ|いくら|どの|どんな")


def clauses(folded: str) -> list[str]:
    """The clauses of a folded text, nothing drawn out; fillers and calls are left out where anything else is said."""
    found = [c for c in (undrawn(part).strip() for part in _BREAK.split(folded)) if c]
    if len(found) < 2:
        return found
    return [c for c in found if not _filler(hiragana(c))] or found


def _filler(clause: str) -> bool:
    if clause in grammar.FILLERS or _INTERJECTION.fullmatch(clause) is not None:
        return True
    return clause.isascii() and all(word in grammar.FILLERS for word in clause.split())


def content(clause: str, *, alone: bool) -> tuple[list[Chunk], str]:
    """The chunks of a clause, inflection taken off the last, and the marks of what its ending meant."""
    plain = hiragana(clause)
    for prefix in grammar.PREFIXES:
        if plain.startswith(prefix) and len(plain) > len(prefix) + 1:
            clause, plain = clause[len(prefix) :], plain[len(prefix) :]
            break
    half = len(plain) // 2
    if half > 1 and plain[:half] * 2 == plain:
        clause, plain = clause[:half], plain[:half]
    body, marks, cut = _ending(plain, alone=alone)
    chunks = _chunks(clause, plain, len(body))
    if chunks and not cut:
        chunks[-1] = Chunk(_stem(chunks[-1].written), _stem(chunks[-1].heard))
    return chunks, marks


def _ending(text: str, *, alone: bool) -> tuple[str, str, bool]:
    """The text without its ending, the ending's marks, and whether a verb's own ending went with it (った, いて)."""
    marks = ""
    while True:
        ending = _longest(text, alone=alone)
        if not ending:
            break
        mark = grammar.ENDINGS[ending]
        text = text.removesuffix(ending)
        if mark == grammar.JOINED:
            text, cut = _inflection(text + ("で" if ending[0] in "でどじ" else "て"), grammar.TE_FORMS)
            return text, marks, cut
        if mark not in marks:
            marks = mark + marks
    past, cut = _inflection(text, grammar.TA_FORMS)
    if past != text:
        return past, marks, cut
    asked, cut = _inflection(text, grammar.TE_FORMS)
    if asked != text and grammar.REQUEST not in marks:
        marks = grammar.REQUEST + marks
    return asked, marks, cut


def _longest(text: str, *, alone: bool) -> str:
    for size in range(min(grammar.LONGEST_ENDING, len(text)), 0, -1):
        if text[-size:] in grammar.ENDINGS and _enough(text[:-size], alone=alone or size < 3):
            return text[-size:]
    return ""


def _inflection(text: str, forms: frozenset[str]) -> tuple[str, bool]:
    for size in (3, 2, 1):
        if text[-size:] in forms and _enough(text[:-size], alone=True):
            return text[:-size], size > 1
    return text, False


def _enough(rest: str, *, alone: bool) -> bool:
    """One kana is too little to be content; nothing at all is fine where other clauses say something."""
    if not rest:
        return not alone
    return len(rest) >= 2 or not "ぁ" <= rest <= "ゖ"


def _stem(chunk: str) -> str:
    """Drop the vowel that inflection changes: 帰る, 帰り and 帰ら give 帰; 疲れる and 疲れ give 疲れ."""
    if len(chunk) < 2 or not "ぁ" <= chunk[-1] <= "ゖ":
        return chunk
    last, rest = chunk[-1], chunk[:-1]
    if not _enough(rest, alone=True) or not (last in grammar.A_ROW or last in grammar.I_ROW or last in grammar.U_ROW):
        return chunk
    if last == "る" and rest[-1] in grammar.I_ROW and _enough(rest[:-1], alone=True):
        return rest[:-1]
    return rest


def _chunks(clause: str, plain: str, length: int) -> list[Chunk]:
    chunks: list[Chunk] = []
    previous = 0
    for match in _RUN.finditer(clause[:length]):
        kind = match.lastindex or 0
        run = plain[match.start() : match.end()]
        if kind == _KANA:
            run, joins = _after(previous, run, last=match.end() == length)
            if run and joins:
                chunks[-1] = Chunk(chunks[-1].written + run, chunks[-1].heard + run)
            elif run:
                chunks.append(Chunk(run, run))
        elif kind == _KANJI:
            if chunks and previous == _KANA and chunks[-1].written in ("お", "ご"):
                chunks.pop()
            if run[0] == "御" and len(run) > 1:
                run = run[1:]
            chunks.append(Chunk(run, read_kanji(run, plain[match.end() : match.end() + 1])))
        elif kind == _LATIN:
            chunks.append(Chunk(run, read_latin(run)))
        else:
            chunks.append(Chunk(run, run))
        previous = kind or -1
    words = [c for c in chunks if c.written not in _EMPTY]
    return words or chunks


def _after(previous: int, run: str, *, last: bool) -> tuple[str, bool]:
    """What of a run of hiragana is content, and whether it continues the kanji before it (okurigana)."""
    joins = False
    if previous:
        joins = previous == _KANJI and _QUESTION.match(run) is None
        for size in (2, 1):
            if run[:size] in grammar.PARTICLES and not run.startswith(grammar.NOT_PARTICLES):
                run, joins = run[size:], False
                break
    if not last and len(run) > 2 and run[-1] in "がをにへとのはもで":
        run = run[:-1]
    return run, joins
