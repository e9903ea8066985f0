"""Why a close match is still the wrong reply. Each guard is a pure comparison of two forms with the reason it gives."""

from __future__ import annotations

from rapidfuzz import fuzz

from engine.matching import grammar
from engine.matching.form import Form
from engine.matching.loanwords import skeleton

SAME_WORD = 78.0
"""Two words at this ratio (0-100) that begin alike are one word with a slip in it."""


def polarity(query: Form, trigger: Form) -> str | None:
    return "opposite polarity" if query.negative != trigger.negative else None


def number(query: Form, trigger: Form) -> str | None:
    if query.numbers and trigger.numbers and query.numbers != trigger.numbers:
        return f"different number: {' '.join(trigger.numbers)} / {' '.join(query.numbers)}"
    return None


def question(query: Form, trigger: Form) -> str | None:
    if trigger.questions and set(query.questions) - set(trigger.questions):
        return f"different question word: {' '.join(trigger.questions)} / {' '.join(query.questions)}"
    if query.questions and not trigger.questions and trigger.text.startswith(("i ", "my ", "we ")):
        return f"a question, where the trigger states: {' '.join(query.questions)}"
    return None


def time(query: Form, trigger: Form) -> str | None:
    extra = set(query.times) - set(trigger.times)
    missing = set(trigger.times) - set(query.times)
    if extra and (missing or extra - grammar.PRESENT):
        return f"another time: {' '.join(sorted(extra))}"
    return None


def person(query: Form, trigger: Form) -> str | None:
    extra = set(query.persons) - set(trigger.persons)
    return f"another person: {' '.join(sorted(extra))}" if extra else None


def voice(query: Form, trigger: Form) -> str | None:
    for sign, reason in (("q", "quoted"), ("r", "reported speech"), ("i", "said in irony or denied")):
        if sign in query.signs and sign not in trigger.signs:
            return reason
    return None


def content(query: Form, trigger: Form) -> str | None:
    """Each side names something that the other does not. Not so where both sound the same and most kanji are shared:
    then a word was converted to the wrong kanji.
    """
    extra, missing = _unshared(query, trigger), _unshared(trigger, query)
    if not extra or not missing:
        return None
    shared = set(query.kanji) & set(trigger.kanji)
    if query.sound == trigger.sound and len(shared) >= 2 * len("".join(extra)):
        return None
    return f"different content: {' '.join(missing)} / {' '.join(extra)}"


def _unshared(one: Form, other: Form) -> list[str]:
    # A reading of one kana is found in any text.
    alike = one.sound == other.sound
    kana = "".join(run for run, reading in one.spelled if reading in other.text and (alike or len(reading) > 1))
    kanji = [c for c in one.kanji if c not in other.kanji and c not in kana]
    return kanji + _unshared_words(one, other)


def _unshared_words(one: Form, other: Form) -> list[str]:
    whole = "".join(one.words)
    return [word for word in one.words if not _occurs(word, whole, other)]


def _occurs(word: str, whole: str, form: Form) -> bool:
    if any(_same_word(word, other) for other in form.words):
        return True
    if not word.isascii():
        return word in form.text or word in form.sound
    # Within another word it is that word cut in two (rest room) or its beginning, not any letters of it (old, cold).
    return _begins(word, form.text) or any(word in other and other in whole for other in form.words)


def _begins(word: str, text: str) -> bool:
    """Whether a Latin word of the text begins so."""
    place = text.find(word)
    while place > 0 and "a" <= text[place - 1] <= "z":
        place = text.find(word, place + 1)
    return place >= 0


def _same_word(one: str, other: str) -> bool:
    """One with a slip in it, one borrowed from the other, one cut short, or email and mail."""
    if one.isascii() != other.isascii():
        short, long = sorted((skeleton(one), skeleton(other)), key=len)
        return short == long or (len(short) > 2 and short in long and 2 * len(short) > len(long))
    if one[:1] != other[:1]:
        return f"e{one}" == other or one == f"e{other}"
    if fuzz.ratio(one, other) >= SAME_WORD or sorted(one) == sorted(other):
        return True
    return not one.isascii() and _cut_short(*sorted((one, other), key=len))


def _cut_short(short: str, long: str) -> bool:
    """スマホ for スマートフォン: a third or more is gone, and what is left sounds in the same order."""
    if short[:2] != long[:2] or 3 * len(short) > 2 * len(long):
        return False
    letters = iter(skeleton(long))
    return all(letter in letters for letter in skeleton(short))


GUARDS = (polarity, number, question, time, person, voice, content)


def refusal(query: Form, trigger: Form) -> str | None:
    """The first guard's reason against this pair, in an editor's words, or none."""
    for guard in GUARDS:
        reason = guard(query, trigger)
        if reason is not None:
            return reason
    return None
