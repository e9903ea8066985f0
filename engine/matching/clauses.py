"""A folded text as clauses, and a clause as the chunks of content that remain without grammar. Knows no triggers.

There is no dictionary of words here: chunks come from the change of script, from particles, and from the endings of
the closed classes. What is cut wrongly is cut the same way in the utterance and in the trigger.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from engine.matching import grammar
from engine.matching.endings import ALONE, BESIDE_CLAUSES, BESIDE_CONTENT, stem, without_ending
from engine.matching.loanwords import abbreviated
from engine.matching.normalise import IDEOGRAPH, hiragana, repeated, undrawn


class Chunk(NamedTuple):
    """A piece of content as written (in hiragana where it was katakana) and, of a foreign word, the consonants that
    survive borrowing and shortening.
    """

    written: str
    borrowed: str


_BREAK = re.compile(r"[^\w\s]+|_+|(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")
_UNPAUSED = re.compile(
    "(けど|です|ます|ですか|ますか|たいな|よね|かな|ください)(?=[^\\Wa-z0-9ぁ-ゖ])"
    "|([よねわ])(?=(?:ママ|マスター)(?:さん)?$)"
)
_SIGH = re.compile(r"(?<!\w)(?:[あうえおふへほわやなよん]|いや|うわ|ねえ|まあ|あの)[ー~〜]+[んっ]*(?!っ?と)(?=\w{2})")
_HEDGE = re.compile(r"\b(?:id|i would|would) like(?: to)?\b")
_OPENING = grammar.FILLERS | frozenset(grammar.PREFIXES)
_OPENERS = tuple(grammar.OPENERS)
_INTERJECTION = re.compile("[あいうえおはふへほんっやぁー]{1,3}")


def clauses(folded: str) -> list[str]:
    """The clauses of a folded text, nothing drawn out; fillers and calls are left out where anything else is said."""
    parted = _UNPAUSED.sub(r"\1\2、", folded)
    if "ー" in parted or "~" in parted or "〜" in parted:
        parted = _SIGH.sub("、", parted)
    if " like" in parted:
        parted = _HEDGE.sub("", parted)
    found = [c for c in (repeated(undrawn(part)).strip() for part in _BREAK.split(parted)) if c]
    if len(found) < 2:
        return found
    return [c for c in found if not _filler(hiragana(c))] or found


def _filler(clause: str) -> bool:
    if clause.isascii():
        return all(word in grammar.FILLERS for word in clause.split())
    if clause.rstrip("さね") in _OPENING or _INTERJECTION.fullmatch(clause) is not None:
        return True
    return clause.startswith(_OPENERS) and without_ending(clause, BESIDE_CLAUSES).body in grammar.OPENERS


def content(clause: str, *, alone: bool) -> tuple[list[Chunk], str]:
    """The chunks of a clause, inflection taken off the last, and the marks of what its ending meant."""
    plain = hiragana(clause)
    skip = _prefix(plain)
    end = len(plain)
    half = (end - skip) // 2
    if half > 1 and plain[skip : skip + half] * 2 == plain[skip:]:
        end = skip + half
    clause, plain = clause[skip:end], plain[skip:end]
    loan = _LOAN_END.match(clause)
    fixed = loan.end() if loan else 0
    ending = without_ending(plain[fixed:], BESIDE_CONTENT if fixed else ALONE if alone else BESIDE_CLAUSES)
    chunks = _chunks(clause, plain, fixed + len(ending.body))
    if chunks and ending.body and not ending.inflected:
        only, last = len(chunks) == 1, chunks[-1]
        chunks[-1] = Chunk(stem(last.written, only=only), stem(last.borrowed, only=only))
    return chunks, ending.marks


_MOST_PREFIXES = 2
_PREFIXES = {
    first: tuple(prefix for prefix in grammar.PREFIXES if prefix[0] == first)
    for first in {p[0] for p in grammar.PREFIXES}
}


def _prefix(plain: str) -> int:
    """How many characters of fillers and adverbs stand before the content."""
    skip = 0
    for _ in range(_MOST_PREFIXES):
        prefix = next((p for p in _PREFIXES.get(plain[skip], ()) if plain.startswith(p, skip)), "")
        if not prefix or len(plain) <= skip + len(prefix) + 1:
            break
        skip += len(prefix)
    return skip if skip and without_ending(plain[skip:], BESIDE_CLAUSES).body else 0


_LOAN_END = re.compile(".*[ァ-ヺ]")
_RUN = re.compile(rf"({IDEOGRAPH}+)|([ぁ-ゟ]+)|([a-z]+)|([゠-ヿ]+)|\d+|[^\s\d]")
_KANJI, _KANA, _LATIN, _KATAKANA = 1, 2, 3, 4
_FOREIGN = (_LATIN, _KATAKANA)
_QUESTION = re.compile("どこ|いつ|だれ|なに|なん|どう|どれ|いくら|どの|どんな")
_TOPIC = re.compile("って(?:$|どこ|いつ|だれ|なに|なん|どう|どれ|いくら|どの)")
_ASKING = frozenset(word + ending for word in grammar.QUESTIONS if word.isascii() for ending in ("", "s"))
_GRAMMAR = _ASKING | grammar.ENGLISH_STOP | grammar.ENGLISH_NOT
_EMPTY = grammar.ENGLISH_STOP | grammar.ENGLISH_NOT


def _chunks(clause: str, plain: str, length: int) -> list[Chunk]:
    chunks: list[Chunk] = []
    previous = 0
    for match in _RUN.finditer(clause, 0, length):
        kind = match.lastindex or 0
        run = plain[match.start() : match.end()]
        if kind == _KANA:
            run, joins = _after(previous, run, last=match.end() == length)
            if run and joins:
                chunks[-1] = Chunk(chunks[-1].written + run, chunks[-1].borrowed + run)
            elif run:
                chunks.append(Chunk(run, run))
        elif kind == _KANJI:
            if chunks and previous == _KANA and chunks[-1].written in ("お", "ご"):
                chunks.pop()
            run = run[1:] if run[0] == "御" and len(run) > 1 else run
            chunks.append(Chunk(run, run))
        else:
            chunks.append(Chunk(run, _borrowed(run, kind, previous)))
        previous = kind or -1
    kept = [chunk for chunk in chunks if chunk.written not in _EMPTY]
    if kept and all(chunk.written in _ASKING for chunk in kept):
        # A question word alone asks for anything: what do you have is not what are you.
        return [chunk for chunk in chunks if chunk.written not in grammar.FILLERS]
    return kept or chunks


def _borrowed(run: str, kind: int, previous: int) -> str:
    """One compound may be half in Latin letters: its second half adds nothing, as in one that is all katakana."""
    if kind not in _FOREIGN or run in _GRAMMAR:
        return run
    return "" if previous in _FOREIGN and previous != kind else abbreviated(run)


def _after(previous: int, run: str, *, last: bool) -> tuple[str, bool]:
    """What of a run of hiragana is content, and whether it continues the kanji before it (okurigana)."""
    joins = previous == _KANJI and _QUESTION.match(run) is None
    if previous and not run.startswith(grammar.NOT_PARTICLES):
        for size in (2, 1):
            if run[:size] in grammar.PARTICLES or (size == 2 and _TOPIC.match(run)):
                run, joins = run[size:], False
                break
    if not last and len(run) > 2 and run[-1] in "がをにへとのはもで":
        run = run[:-1]
    return run, joins
