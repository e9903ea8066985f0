"""Whether an utterance and a trigger that come close say the same, by their words. Knows forms, no replies.

They do when their content words agree. What stands on one side only counts, unless it is spare (`Form.spare`), the same
word in another spelling, or a word with a slip of typing in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Literal

from rapidfuzz import fuzz

from engine.core.record import record
from engine.matching import grammar
from engine.matching.form import ContentWord, Form
from engine.matching.forms import heard
from engine.text.english import NEIGHBOURS
from engine.text.normalise import hiragana

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


def refusal(compared: Comparison) -> str | None:
    """Why this pair is not the same, in an editor's words, or none."""
    query, trigger = compared.query, compared.trigger
    if (query.text, query.signs) == (trigger.text, trigger.signs) and not _asks_of(query, trigger):
        return None
    for rule in RULES:
        reason = rule(compared)
        if reason is not None:
            return reason
    return None


# --- words on one side only -----------------------------------------------------------------------------------


def _one_sided(one: Form, other: Form) -> list[ContentWord]:
    if one.bag == other.bag or one.core == other.core:
        return []
    theirs = {word[0] for word in other.words}
    return [word for word in one.words if word[0] not in theirs]


Sides = tuple[list[ContentWord], list[ContentWord]]


def _unheard(extra: list[ContentWord], missing: list[ContentWord], query: Form, trigger: Form) -> Sides:
    """Without the words that one side only spells in another way, or cuts in another place."""
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
    """Without the words that sound like one of the other side: 引く and ひく."""
    for word in tuple(extra):
        twin = next((one for one in missing if heard(one[2]) == heard(word[2]) and _respelled([word], [one])), None)
        if twin is not None:
            extra = [one for one in extra if one is not word]
            missing = [one for one in missing if one is not twin]
    return extra, missing


def _unwritten(own: list[ContentWord], others: list[ContentWord], other: Form) -> Sides:
    """Without the words that the other text writes in kana, nor what the dictionary took those for."""
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
    if extra and missing and all(map(_foreign, (*extra, *missing))):
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
    """How many letters are missing, added, changed or moved: half of what must be taken out and put in, rounded up."""
    both = len(one) + len(other)
    return ceil(both * (1 - fuzz.ratio(one, other) / 100) / 2 - _ROUNDING)


_ROUNDING = 1e-6


def _fragments(extra: Sequence[ContentWord], trigger: Form) -> bool:
    """Whether these may be pieces of a misspelt word: another word in kanji is meant."""
    return all(
        not known or all(sign <= "ゟ" or sign in trigger.text for sign in written) for _, written, _, known in extra
    )


def _foreign(word: ContentWord) -> bool:
    """In katakana or Latin letters: where such a word is misspelt, the dictionary does not know it."""
    return all("ァ" <= sign <= "ヿ" or "a" <= sign <= "z" for sign in word[1])


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


# --- rules: each gives the reason for which it refuses --------------------------------------------------------


def voice(compared: Comparison) -> str | None:
    for sign, reason in (("q", "quoted"), ("r", "reported speech"), ("i", "said in irony or denied")):
        if sign in compared.query.signs and sign not in compared.trigger.signs:
            return reason
    return None


def polarity(compared: Comparison) -> str | None:
    query, trigger = compared.query, compared.trigger
    if query.negative == trigger.negative or (compared.slip and trigger.negative):
        return None
    return "opposite polarity"


_ONE = frozenset({"1杯", "1本", "1つ", "1個"})


def number(compared: Comparison) -> str | None:
    query, trigger = compared.query, compared.trigger
    if query.numbers == trigger.numbers:
        return None
    extra, missing = _beyond(query.numbers, trigger.numbers), _beyond(trigger.numbers, query.numbers)
    if extra and missing:
        return f"different number: {' '.join(missing)} / {' '.join(extra)}"
    if set(extra + missing) <= _ONE and query.words and trigger.words:
        return None
    return f"a number more: {' '.join(extra)}" if extra else f"a number less: {' '.join(missing)}"


_OPEN = frozenset({"何", "いつ"})
"""What the bare naming of a thing may ask: 締切は？"""


_HOW = frozenset({"どう", "how"})
_WAYS = frozenset({"方法", "仕方", "遣り方", "やり方"})
"""Nouns that ask how: 予約方法."""


def question(compared: Comparison) -> str | None:
    query, trigger = compared.query, compared.trigger
    if query.questions == trigger.questions:
        return None
    extra, missing = _beyond(query.questions, trigger.questions), _beyond(trigger.questions, query.questions)
    if extra and missing:
        return f"different question word: {' '.join(missing)} / {' '.join(extra)}"
    shorter = trigger if extra else query
    if (
        set(extra + missing) <= _OPEN
        and query.words
        and trigger.words
        and not (_tells(shorter) or "verb" in shorter.marks)
    ):
        return None
    if set(extra + missing) <= _HOW and any(form in _WAYS for form, _ in shorter.spare):
        return None
    return f"a question word more: {' '.join(extra)}" if extra else f"a question word less: {' '.join(missing)}"


_ASKED = frozenset({"asks", "request", "want"})


def time(compared: Comparison) -> str | None:
    query, trigger = compared.query, compared.trigger
    if query.times == trigger.times:
        return None
    both = set(query.marks) & set(trigger.marks)
    if "past" in both and not trigger.times and grammar.PAST_TIMES.issuperset(query.times):
        # What happened did so at some time.
        return None
    telling = _ASKED.isdisjoint(query.marks) and not query.questions
    if telling and not trigger.times and grammar.ALWAYS.issuperset(query.times):
        # A complaint is one whether it holds every day or not.
        return None
    return f"another time: {' '.join(trigger.times) or 'none'} / {' '.join(query.times) or 'none'}"


def content(compared: Comparison) -> str | None:
    extra, missing = compared.extra, compared.missing
    if compared.slip or not (extra or missing):
        return None
    if extra and missing:
        return f"different content: {_shown(missing)} / {_shown(extra)}"
    return f"more content: {_shown(extra)}" if extra else f"less content: {_shown(missing)}"


def _shown(words: Sequence[ContentWord]) -> str:
    return " ".join(word[0] for word in words)


MEANINGS = {
    "want": "a wish (たい)",
    "too": "too much (すぎる)",
    "let": "made or let do (せる)",
    "by": "done to one (られる)",
    "about": "about to (そう)",
    "must": "must (ねば)",
    "if": "a condition (たら)",
}


def meaning(compared: Comparison) -> str | None:
    """Tense and modality that change what is said."""
    if compared.slip:
        return None
    ours, theirs = set(compared.query.marks), set(compared.trigger.marks)
    for mark, shown in MEANINGS.items():
        if (mark in ours) != (mark in theirs) and not _excused(mark, ours, theirs, misread=compared.misread):
            return f"{'only the utterance' if mark in ours else 'only the trigger'} has {shown}"
    if "bare" in ours & theirs and compared.query.text.isascii() and ("past" in ours) != ("past" in theirs):
        return "another tense"
    return _other_time(compared, ours, theirs) or _other_time(compared, theirs, ours)


def _other_time(compared: Comparison, one: set[str], other: set[str]) -> str | None:
    """Whether one tells what happened, and the other what may be, what is meant or what is wanted; or one bids what the
    other means to do.
    """
    if "bids" in one - other and "will" in other - one:
        return "one bids, the other means to do it"
    if "past" not in one - other:
        return None
    if other & {"may", "will"} and one.isdisjoint(("may", "will", "request")):
        return "one tells what happened, the other what may be or is meant to be done"
    if "request" in other - one and "by" not in one:
        return "one tells what happened, the other asks for it"
    both_denied = compared.query.negative and compared.trigger.negative
    return "another tense" if "present" in other and not other & {"on", "want", "request"} and not both_denied else None


def _excused(mark: str, ours: set[str], theirs: set[str], *, misread: bool) -> bool:
    """Whether this mark on one side changes nothing: a wish is a request, and so is the bare name of a deed."""
    if mark in ("by", "want") and misread:
        return True
    if mark == "let" and "request" in ours | theirs:
        return True
    one, other = (ours, theirs) if mark in ours else (theirs, ours)
    named = "doing" in one and other.isdisjoint(("verb", "past", "self"))
    return mark in ("want", "must", "let") and ("request" in other or named)


_ASKING = frozenset({"request", "bids"})


def person(compared: Comparison) -> str | None:
    """What one says of oneself is not what one says of the other: 俺は独身, ママは独身; nor is doing what is done."""
    query, trigger = compared.query, compared.trigger
    if {_told_of(query), _told_of(trigger)} == {"me", "you"}:
        return "told of another person"
    roles = [{"doer", "bearer"} & set(form.marks) for form in (query, trigger)]
    if "by" in query.marks and "by" in trigger.marks and roles in ([{"doer"}, {"bearer"}], [{"bearer"}, {"doer"}]):
        return "one tells who did it, the other to whom it was done"
    return None


def _told_of(form: Form) -> str | None:
    persons = {"me", "you"} & set(form.marks)
    if len(persons) == 1:
        return persons.pop()
    asked = "asks" in form.marks and "called" in form.marks
    return "you" if asked and not persons and _OF_DEEDS.isdisjoint(form.marks) else None


_OF_DEEDS = frozenset({"request", "want", "may", "must", "will"})
"""Whoever asks so asks for something to be done, or whether he may do it himself."""


def act(compared: Comparison) -> str | None:
    """Among short sentences, one that asks is not one that tells, and お邪魔します is not 邪魔."""
    query, trigger = compared.query, compared.trigger
    asking = [not _ASKING.isdisjoint(form.marks) for form in (query, trigger)]
    if "bare" in query.marks and "bare" in trigger.marks and asking[0] != asking[1]:
        return "one asks for something"
    if query.questions or trigger.questions:
        return None
    if _asks_of(query, trigger) or _asks_of(trigger, query):
        return "one asks, the other tells"
    if not (query.short and trigger.short):
        return None
    return _other_act(query, trigger) or _other_act(trigger, query)


def _asks_of(one: Form, other: Form) -> bool:
    """Whether one text asks whether what the other tells is so."""
    return "asks" in one.marks and "request" not in one.marks and other.tells


def _other_act(one: Form, other: Form) -> str | None:
    marks, others = set(one.marks), set(other.marks)
    acts = (
        ("one asks, the other bids", {"asks", "on"} <= marks and "bids" in others),
        ("one bids, the other does it", "bids" in marks and {"tells", "present"} <= others and "bids" not in others),
        ("one tells, the other bids", "past" in marks - others and "bids" in others),
        ("one says in politeness what the speaker does", "humble" in marks and "doing" not in others),
    )
    return next((reason for reason, found in acts if found), None)


def _tells(form: Form) -> bool:
    return "tells" in form.marks and "asks" not in form.marks


Rule = Callable[[Comparison], str | None]
RULES: tuple[Rule, ...] = (voice, polarity, number, question, time, content, meaning, person, act)


def _beyond(one: Sequence[str], other: Sequence[str]) -> list[str]:
    return [item for item in one if item not in other]
