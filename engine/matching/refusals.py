"""Tells why two texts that come close do not say the same: nine rules, each with its reason in an editor's words.

Knows what was read in them, and no replies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.core.language import phrase
from engine.matching import grammar
from engine.matching.compare import Comparison
from engine.matching.trigger import Form


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


_VOICES = (("q", phrase("quoted")), ("r", phrase("reported speech")), ("i", phrase("said in irony or denied")))


def voice(compared: Comparison) -> str | None:
    for sign, reason in _VOICES:
        if sign in compared.query.signs and sign not in compared.trigger.signs:
            return reason
    return None


def polarity(compared: Comparison) -> str | None:
    query, trigger = compared.query, compared.trigger
    if query.negative == trigger.negative or (compared.slip and trigger.negative):
        return None
    return phrase("opposite polarity")


_ONE = frozenset({"1杯", "1本", "1つ", "1個"})
_NUMBERS = (
    phrase("different number: {trigger} / {text}"),
    phrase("a number more: {words}"),
    phrase("a number less: {words}"),
)


def number(compared: Comparison) -> str | None:
    query, trigger = compared.query, compared.trigger
    if query.numbers == trigger.numbers:
        return None
    extra, missing = _beyond(query.numbers, trigger.numbers), _beyond(trigger.numbers, query.numbers)
    if not (extra and missing) and set(extra + missing) <= _ONE and query.words and trigger.words:
        return None
    return _apart(_NUMBERS, extra, missing)


def _apart(said: tuple[str, str, str], extra: Sequence[str], missing: Sequence[str]) -> str:
    """Names what differs by the first of three templates, or what only one side has by the second or third."""
    different, more, less = said
    if extra and missing:
        return phrase(different, trigger=" ".join(missing), text=" ".join(extra))
    return phrase(more, words=" ".join(extra)) if extra else phrase(less, words=" ".join(missing))


_OPEN = frozenset({"何", "いつ"})
"""What the bare naming of a thing may ask: 締切は？"""
_HOW = frozenset({"どう", "how"})
_WAYS = frozenset({"方法", "仕方", "遣り方", "やり方"})
"""Nouns that ask how: 予約方法."""
_QUESTIONS = (
    phrase("different question word: {trigger} / {text}"),
    phrase("a question word more: {words}"),
    phrase("a question word less: {words}"),
)


def question(compared: Comparison) -> str | None:
    query, trigger = compared.query, compared.trigger
    if query.questions == trigger.questions:
        return None
    extra, missing = _beyond(query.questions, trigger.questions), _beyond(trigger.questions, query.questions)
    if extra and missing:
        return _apart(_QUESTIONS, extra, missing)
    shorter = trigger if extra else query
    tells = "verb" in shorter.marks or ("tells" in shorter.marks and "asks" not in shorter.marks)
    if set(extra + missing) <= _OPEN and query.words and trigger.words and not tells:
        return None
    if set(extra + missing) <= _HOW and any(form in _WAYS for form, _ in shorter.spare):
        return None
    return _apart(_QUESTIONS, extra, missing)


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
    of_trigger, of_query = (" ".join(form.times) or phrase("none") for form in (trigger, query))
    return phrase("another time: {trigger} / {text}", trigger=of_trigger, text=of_query)


_CONTENT = (
    phrase("different content: {trigger} / {text}"),
    phrase("more content: {words}"),
    phrase("less content: {words}"),
)


def content(compared: Comparison) -> str | None:
    extra, missing = compared.extra, compared.missing
    if compared.slip or not (extra or missing):
        return None
    return _apart(_CONTENT, [word[0] for word in extra], [word[0] for word in missing])


MEANINGS = {
    "want": phrase("a wish (たい)"),
    "too": phrase("too much (すぎる)"),
    "let": phrase("made or let do (せる)"),
    "by": phrase("done to one (られる)"),
    "about": phrase("about to (そう)"),
    "must": phrase("must (ねば)"),
    "if": phrase("a condition (たら)"),
}


def meaning(compared: Comparison) -> str | None:
    """Tense and modality that change what is said."""
    if compared.slip:
        return None
    ours, theirs = set(compared.query.marks), set(compared.trigger.marks)
    for mark, shown in MEANINGS.items():
        if (mark in ours) != (mark in theirs) and not _excused(mark, ours, theirs, misread=compared.misread):
            if mark in ours:
                return phrase("only the utterance has {meaning}", meaning=shown)
            return phrase("only the trigger has {meaning}", meaning=shown)
    if "bare" in ours & theirs and compared.query.text.isascii() and ("past" in ours) != ("past" in theirs):
        return phrase("another tense")
    return _other_time(compared, ours, theirs) or _other_time(compared, theirs, ours)


def _other_time(compared: Comparison, one: set[str], other: set[str]) -> str | None:
    """Whether one tells what happened, and the other what may be, what is meant or what is wanted; or one bids what the
    other means to do.
    """
    if "bids" in one - other and "will" in other - one:
        return phrase("one bids, the other means to do it")
    if "past" not in one - other:
        return None
    if other & {"may", "will"} and one.isdisjoint(("may", "will", "request")):
        return phrase("one tells what happened, the other what may be or is meant to be done")
    if "request" in other - one and "by" not in one:
        return phrase("one tells what happened, the other asks for it")
    both_denied = compared.query.negative and compared.trigger.negative
    return (
        phrase("another tense")
        if "present" in other and not other & {"on", "want", "request"} and not both_denied
        else None
    )


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
    """Keeps apart what is told of oneself and of the other (俺は独身, ママは独身), and doing from being done to."""
    query, trigger = compared.query, compared.trigger
    if {_told_of(query), _told_of(trigger)} == {"me", "you"}:
        return phrase("told of another person")
    roles = [{"doer", "bearer"} & set(form.marks) for form in (query, trigger)]
    if "by" in query.marks and "by" in trigger.marks and roles in ([{"doer"}, {"bearer"}], [{"bearer"}, {"doer"}]):
        return phrase("one tells who did it, the other to whom it was done")
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
        return phrase("one asks for something")
    if query.questions or trigger.questions:
        return None
    if _asks_of(query, trigger) or _asks_of(trigger, query):
        return phrase("one asks, the other tells")
    if not (query.short and trigger.short):
        return None
    return _other_act(query, trigger) or _other_act(trigger, query)


def _asks_of(one: Form, other: Form) -> bool:
    """Whether one text asks whether what the other tells is so."""
    return "asks" in one.marks and "request" not in one.marks and other.tells


def _other_act(one: Form, other: Form) -> str | None:
    marks, others = set(one.marks), set(other.marks)
    found = (
        {"asks", "on"} <= marks and "bids" in others,
        "bids" in marks and {"tells", "present"} <= others and "bids" not in others,
        "past" in marks - others and "bids" in others,
        "humble" in marks and "doing" not in others,
    )
    return next((reason for reason, is_so in zip(_ACTS, found, strict=True) if is_so), None)


_ACTS = (
    phrase("one asks, the other bids"),
    phrase("one bids, the other does it"),
    phrase("one tells, the other bids"),
    phrase("one says in politeness what the speaker does"),
)


Rule = Callable[[Comparison], str | None]
RULES: tuple[Rule, ...] = (voice, polarity, number, question, time, content, meaning, person, act)


def _beyond(one: Sequence[str], other: Sequence[str]) -> list[str]:
    return [item for item in one if item not in other]
