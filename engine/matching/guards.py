"""Why a close match is still the wrong reply. Each guard is a pure comparison of two forms with the reason it gives."""

from __future__ import annotations

from rapidfuzz import fuzz

from engine.matching import grammar
from engine.matching.forms import Form
from engine.matching.readings import read_latin

SAME_WORD = 78.0
"""Two words at this ratio (0-100) that begin alike are one word with a slip in it."""


def polarity(query: Form, trigger: Form) -> str | None:
    return "opposite polarity" if query.negative != trigger.negative else None


def number(query: Form, trigger: Form) -> str | None:
    if query.numbers and trigger.numbers and query.numbers != trigger.numbers:
        return f"different number: {' '.join(trigger.numbers)} / {' '.join(query.numbers)}"
    return None


def question(query: Form, trigger: Form) -> str | None:
    if query.questions and trigger.questions and not set(query.questions) & set(trigger.questions):
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


def kanji(query: Form, trigger: Form) -> str | None:
    """Other kanji are other content, unless the sound is the same and most kanji are: then they were typed wrongly."""
    extra = set(query.kanji) - set(trigger.kanji)
    missing = set(trigger.kanji) - set(query.kanji)
    if not extra or not missing:
        return None
    if query.sound == trigger.sound and len(set(query.kanji) & set(trigger.kanji)) >= 2 * max(len(extra), len(missing)):
        return None
    return f"different kanji: {''.join(sorted(missing))} / {''.join(sorted(extra))}"


def word(query: Form, trigger: Form) -> str | None:
    extra = [w for w in query.words if not _occurs(w, trigger)]
    missing = [w for w in trigger.words if not _occurs(w, query)]
    if extra and missing:
        return f"different word: {' '.join(missing)} / {' '.join(extra)}"
    return None


def _occurs(word: str, form: Form) -> bool:
    return word in form.text or any(_same_word(word, other) for other in form.words)


def _same_word(one: str, other: str) -> bool:
    if one.isascii() != other.isascii():
        one, other = (read_latin(w) if w.isascii() else w for w in (one, other))
    return one[:1] == other[:1] and fuzz.ratio(one, other) >= SAME_WORD


GUARDS = (polarity, number, question, time, person, voice, kanji, word)


def refusal(query: Form, trigger: Form) -> str | None:
    """The first guard's reason against this pair, in an editor's words, or none."""
    for guard in GUARDS:
        reason = guard(query, trigger)
        if reason is not None:
            return reason
    return None
