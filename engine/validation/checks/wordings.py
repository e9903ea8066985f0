"""Finds triggers and words that can match nothing, everything or not what was meant, each by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.core.language import phrase
from engine.core.source import Code, Problem, Text
from engine.text.words import LATIN, analyse
from engine.validation.reach import MOST, reached
from engine.validation.subject import TOO_MANY_REGEXES, Placed, Subject, is_quoted

P406 = Code("P406", "a regex that cannot be used")
P315 = Code("P315", "a word in two lists")
P524 = Code("P524", "a word that the dictionary does not know", heuristic=True)
P510 = Code("P510", "a trigger that is too short or too generic", heuristic=True)
P516 = Code("P516", "the same variant twice", severity="warning")


def invalid_regexes(subject: Subject) -> Iterator[Problem]:
    """P406: a `regex` trigger that the linear-time engine cannot run, or that matches everything or nothing."""
    told = False
    for span, mistake in subject.broken_regexes.items():
        message, hint = mistake
        if mistake is TOO_MANY_REGEXES and told:
            continue
        told = told or mistake is TOO_MANY_REGEXES
        yield P406.problem(message, span, hint)


_FOREIGN = re.compile("[ァ-ヺー]+").fullmatch


def own_words(subject: Subject) -> Iterator[Problem]:
    """P315, P524: words of a pipeline's own that contradict each other, and words that the dictionary does not know."""
    yield from _in_two_lists(subject)
    lists = [word for group in subject.spec.synonyms for word in group]
    triggers = (placed.trigger for placed in subject.triggers)
    lists += [word for trigger in triggers for word in trigger.words]
    for word in lists:
        if not is_known(word.value):
            message = phrase("the dictionary does not know `{word}`", word=word.value)
            hint = phrase("write it as a dictionary has it; a name or a new word is matched only where it stands alike")
            yield P524.problem(message, word.span, hint)


def is_known(text: str) -> bool:
    """Whether the dictionary has each word of `text`, as far as it can tell: not of numbers, nor of words in katakana
    or Latin letters, which it makes of their parts.
    """
    return all(
        word.known or word.tags[0] == LATIN or "数詞" in word.tags or _FOREIGN(word.surface) for word in analyse(text)
    )


def _in_two_lists(subject: Subject) -> Iterator[Problem]:
    """A word counts as one other word at most, and one of address as none."""
    seen: dict[tuple[str, ...], tuple[int, Text]] = {}
    groups = [subject.spec.address, *subject.spec.synonyms]
    for number, group in enumerate(groups):
        for word in group:
            forms = tuple(one.form for one in analyse(word.value))
            other, first = seen.setdefault(forms, (number, word))
            if other != number:
                where = "`address`" if other == 0 else phrase("the list of line {line}", line=first.span.line)
                message = phrase("`{word}` stands in {where}, too", word=word.value, where=where)
                hint = phrase("take it out of one of them, or make one list of both")
                yield P315.problem(message, word.span, hint)


SHARE = 0.05
LEAST = 5
"""A part that is found in this share of all other triggers, and in at least so many, means too little."""


def generic_triggers(subject: Subject) -> Iterator[Problem]:
    """P510: a trigger too short or too generic to mean one thing, or of which normalisation leaves nothing. A guess."""
    found = reached(subject)
    for place, placed in enumerate(subject.triggers):
        kind, text = subject.index.triggers[place].kind, subject.index.forms[place].text
        others = found.get(place, [])
        if not text and kind != "regex":
            yield _problem(placed, phrase("matches nothing: only signs that make no difference"), phrase("write words"))
        elif kind == "contains" and len(text) <= 1:
            yield _problem(
                placed, phrase("is one character and found almost everywhere"), phrase("write a longer part")
            )
        elif kind != "regex" and _is_one_letter(subject, placed):
            hint = phrase("write a longer text, or put it in quotes when it is meant")
            yield _problem(placed, phrase("is one character, and fits nothing longer"), hint)
        elif is_generic(subject, len(others)):
            some = ", ".join(f"`{subject.triggers[other].text.value}`" for other in others[:3])
            many = phrase("{count} or more", count=len(others)) if len(others) >= MOST else str(len(others))
            what = phrase("is found in {count} triggers of other replies: {some}", count=many, some=some)
            yield _problem(placed, what, phrase("write a longer part, or list the sentences one by one"))


def _is_one_letter(subject: Subject, placed: Placed) -> bool:
    """Whether a trigger is a letter that no other trigger of its reply holds, and that no quotation marks confirm."""
    letter = placed.text.value.strip()
    if len(letter) != 1 or not letter.isalnum() or is_quoted(subject, placed.text):
        return False
    others = (trigger.text.value for trigger in placed.reply.match if trigger.kind != "regex")
    return not any(letter in other and len(other) > 1 for other in others)


def is_generic(subject: Subject, others: int) -> bool:
    """Whether a part that is found in so many triggers of other replies means too little."""
    return others >= min(MOST, max(LEAST, SHARE * len(subject.triggers)))


def _problem(placed: Placed, what: str, hint: str) -> Problem:
    message = phrase("trigger `{trigger}` {what}", trigger=placed.text.value, what=what)
    return P510.problem(message, placed.text.span, hint)


def identical_variants(subject: Subject) -> Iterator[Problem]:
    """P516: a reply that says the same thing twice."""
    for reply in subject.spec.replies:
        seen: dict[str, int] = {}
        for variant in reply.say:
            words = " ".join(variant.text.value.split())
            if words in seen:
                message = phrase(
                    "reply `{reply}` has this variant already, on line {line}", reply=reply.id.value, line=seen[words]
                )
                hint = phrase("reword it, or remove it and give the other one a `weight`")
                yield P516.problem(message, variant.text.span, hint)
            seen.setdefault(words, variant.text.span.line)
