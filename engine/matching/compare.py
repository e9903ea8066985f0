"""Tells how close an utterance and a trigger are: by letters, and whether their words say the same. No replies here.

By letters it is the best of a few weighted rapidfuzz ratios, so that an index can be exact. By words they agree when
their content words do. What stands on one side only counts, unless it is spare (`Form.spare`), the same word in another
spelling, or a word with a slip of typing in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Literal

from rapidfuzz import fuzz

from engine.core.record import record
from engine.matching.forms import heard
from engine.matching.trigger import ContentWord, Form
from engine.text.english import NEIGHBOURS
from engine.text.normalise import hiragana

SLACK = 0.01
"""rapidfuzz may drop a match whose score lies within 1e-6 of its cutoff, so it is asked a little lower."""

EXACT_LENGTH = 2
"""A trigger's form of so few characters matches exactly or not at all: there is no room for a difference."""

REACH = 65.0
"""Letters that reach so much are compared by words, whatever the threshold: other inflections of the same words."""


@record
class Pair:
    """One form of the query against one of the trigger; the score is `ratio * weight`, at most `most`.

    100 is kept for the same normal form, so that a threshold of 100 means exactly that. Sound must be nearly perfect:
    it serves other spellings of the same words, and a long reading would outweigh what differs.
    """

    name: str
    weight: float
    most: float

    def score(self, ratio: float) -> float:
        return min(ratio * self.weight, self.most)

    def cutoff(self, threshold: float) -> float | None:
        """Finds what to ask rapidfuzz for, 0-100: no ratio below it reaches the threshold; none where no ratio can."""
        if threshold > self.most:
            return None
        return min(max(threshold / self.weight - SLACK, 0.0), 100.0)


PAIRS = (
    Pair(name="text", weight=1.0, most=100.0),
    Pair(name="core", weight=1.0, most=99.0),
    Pair(name="bag", weight=1.0, most=99.0),
    Pair(name="sound", weight=0.95, most=95.0),
)


def score(query: Form, trigger: Form) -> float:
    """0-100: 100 for the same normal form."""
    best = 0.0
    for pair in PAIRS:
        one, other = getattr(query, pair.name), getattr(trigger, pair.name)
        if comparable(one, other):
            best = max(best, pair.score(fuzz.ratio(one, other)))
    return best


def comparable(query: str, trigger: str) -> bool:
    """Empty forms say nothing, and very short ones must be the same."""
    return bool(query) and (len(trigger) > EXACT_LENGTH or query == trigger)


# --- by words -------------------------------------------------------------------------------------------------

SAME_WORDS = 90.0
"""The least score of texts with the same content words; their letters add up to nine."""
SLIP = 82.0
"""The least score of a text with a slip in it."""


@record
class Comparison:
    """`extra` are the content words that only the utterance has, `missing` those that only the trigger has; `misread`
    where one side writes in kana what the dictionary took for other words; `slip` where only a slip of typing differs.
    """

    query: Form
    trigger: Form
    extra: tuple[ContentWord, ...]
    missing: tuple[ContentWord, ...]
    misread: bool
    slip: bool

    def score(self, letters: float) -> float:
        """0-100, where the letters alone reach so many: 100 is kept for the same normal form."""
        if self.slip:
            return max(letters, SLIP)
        return SAME_WORDS + 0.09 * fuzz.ratio(self.query.text, self.trigger.text) if self.agrees else letters

    @property
    def agrees(self) -> bool:
        """Whether both have the same content words, in whatever spelling."""
        return not self.extra and not self.missing and not self.slip


def compare(query: Form, trigger: Form) -> Comparison:
    extra, missing = _one_sided(query, trigger), _one_sided(trigger, query)
    misread = False
    if extra or missing:
        left = _unheard(extra, missing, query, trigger)
        misread = left != (extra, missing)
        extra, missing = left
    return Comparison(
        query=query,
        trigger=trigger,
        extra=tuple(extra),
        missing=tuple(missing),
        misread=misread,
        slip=_slipped(query, trigger, extra, missing),
    )


def _one_sided(one: Form, other: Form) -> list[ContentWord]:
    if one.bag == other.bag or one.core == other.core:
        return []
    theirs = {word[0] for word in other.words}
    return [word for word in one.words if word[0] not in theirs]


Sides = tuple[list[ContentWord], list[ContentWord]]


def _unheard(extra: list[ContentWord], missing: list[ContentWord], query: Form, trigger: Form) -> Sides:
    """Drops the words that one side only spells in another way, or cuts in another place."""
    if extra and missing:
        if _joined(extra, 0) == _joined(missing, 0):
            return [], []
        if heard(_joined(extra, 2)) == heard(_joined(missing, 2)) and _respelled(extra, missing):
            return [], []
        extra, missing = _untwinned(extra, missing)
        if query.sound == trigger.sound and _misconverted(extra, query, trigger):
            return [], []
    missing, extra = _unwritten(missing, extra, query)
    extra, missing = _unwritten(extra, missing, trigger)
    return extra, missing


def _untwinned(extra: list[ContentWord], missing: list[ContentWord]) -> Sides:
    """Drops the words that sound like one of the other side: 引く and ひく."""
    for word in tuple(extra):
        twin = next((one for one in missing if heard(one[2]) == heard(word[2]) and _respelled([word], [one])), None)
        if twin is not None:
            extra = [one for one in extra if one is not word]
            missing = [one for one in missing if one is not twin]
    return extra, missing


def _unwritten(own: list[ContentWord], others: list[ContentWord], other: Form) -> Sides:
    """Drops the words that the other text writes in kana, and what the dictionary took those for."""
    for word in tuple(own):
        if _written_in_kana(word, other):
            own = [one for one in own if one is not word]
            others = [one for one in others if not _covers(word, one, other)]
    return own, others


def _joined(words: Sequence[ContentWord], part: Literal[0, 1, 2]) -> str:
    return "".join([word[part] for word in words])


SHORTEST_HEARD = 2
"""A reading of one kana is found in any text."""


def _written_in_kana(word: ContentWord, other: Form) -> bool:
    """Whether the other text has this word, which is in kanji or katakana here, in hiragana."""
    reading = heard(word[2])
    japanese = not word[1].isascii() and not _hiragana(word[1])
    return (
        japanese
        and len(reading) >= SHORTEST_HEARD
        and reading in heard(other.text)
        and not any(reading in heard(theirs) and not _hiragana(written) for _, written, theirs, _ in other.words)
    )


def _covers(word: ContentWord, other: ContentWord, form: Form) -> bool:
    """Whether what the dictionary took for `other` lies where the text says `word` in kana."""
    if not _kana([other]):
        return False
    reading = heard(word[2])
    place = form.sound.find(reading)
    return place >= 0 and place - 1 <= form.sound.find(heard(other[2])) < place + len(reading)


def _hiragana(written: str) -> bool:
    return max(written) <= "ゟ" and min(written) >= "ぁ"


def _kana(words: Sequence[ContentWord]) -> bool:
    return all("ぁ" <= sign <= "ヿ" for word in words for sign in word[1])


def _respelled(extra: Sequence[ContentWord], missing: Sequence[ContentWord]) -> bool:
    """Whether words that sound the same are one: not two that are both in kana, long vowels apart (ビール, ビル)."""
    if _joined(extra, 1) == _joined(missing, 1):
        return True
    if _kana(extra) and _kana(missing):
        return hiragana(_joined(extra, 1)) == hiragana(_joined(missing, 1)) or not all(word[3] for word in extra)
    return _kana(extra) or _kana(missing)


LONG = 7
"""In so many characters a homophone is no other sentence."""


def _misconverted(extra: Sequence[ContentWord], query: Form, trigger: Form) -> bool:
    """Whether homophones stand in place of a few of many kanji, or the utterance is Japanese in Latin letters."""
    if query.text.isascii():
        return not trigger.text.isascii()
    if len(query.words) == len(extra):
        # All that is said is another word: 酔った, 寄った.
        return False
    if len(query.text) >= LONG and not _kana(extra) and _edits(query.text, trigger.text) == 1:
        return True
    theirs, ours = _kanji(trigger.text), _kanji(query.text)
    wrong = [sign for sign in ours if sign not in theirs]
    return 0 < len(wrong) <= 2 and len(ours) - len(wrong) >= 2 * len(wrong) and not _kana(extra)


def _kanji(text: str) -> list[str]:
    return [sign for sign in text if sign > "ヿ"]


# --- slips of typing ------------------------------------------------------------------------------------------

HARD = 3380
"""A text that costs the dictionary so much more than the trigger holds a slip."""
VERY_HARD = 5500
"""And one that costs so much more two slips, or one in its ending."""
SHORTEST_SLIP = 4
"""Kana or letters; there is no room for a slip in less."""


def _slipped(query: Form, trigger: Form, extra: Sequence[ContentWord], missing: Sequence[ContentWord]) -> bool:
    """Whether a slip of typing is all that differs."""
    if not extra:
        return False
    # In katakana or Latin letters: where such a word is misspelt, the dictionary does not know it.
    if (
        extra
        and missing
        and all("ァ" <= sign <= "ヿ" or "a" <= sign <= "z" for one in (*extra, *missing) for sign in one[1])
    ):
        return len(extra) == len(missing) and all(map(_mistyped, extra, missing))
    if query.text.isascii():
        return False
    effort, length = query.effort - trigger.effort, len(trigger.sound)
    if effort < HARD or not _fragments(extra, trigger):
        return False
    if query.sound == trigger.sound:
        return True
    near = max(1, length // (3 if effort > VERY_HARD else 5))
    return length >= SHORTEST_SLIP and (
        _edits(query.sound, trigger.sound) <= near or _edits(query.text, trigger.text) <= near
    )


def _edits(one: str, other: str) -> int:
    """Counts letters missing, added, changed or moved: half of what must be taken out and put in, rounded up."""
    both = len(one) + len(other)
    return ceil(both * (1 - fuzz.ratio(one, other) / 100) / 2 - _ROUNDING)


_ROUNDING = 1e-6


def _fragments(extra: Sequence[ContentWord], trigger: Form) -> bool:
    """Whether these may be pieces of a misspelt word: another word in kanji is meant."""
    return all(
        not known or all(sign <= "ゟ" or sign in trigger.text for sign in written) for _, written, _, known in extra
    )


def _mistyped(one: ContentWord, other: ContentWord) -> bool:
    """Whether the utterance's word is the trigger's with a letter missing, doubled, changed or in another place."""
    mine, theirs = one[1], other[1]
    if mine.isascii() != theirs.isascii():
        return False
    length, distance = min(len(mine), len(theirs)), _edits(mine, theirs)
    if not mine.isascii():
        return not one[3] and length >= SHORTEST_SLIP and distance == 1
    if length < SHORTEST_SLIP or mine[0] != theirs[0] or one[0] in NEIGHBOURS:
        return False
    moved = len(mine) != len(theirs) or sorted(mine) == sorted(theirs)
    return (distance == 1 and (moved or length > 6)) or (distance == 2 and length > 8)
