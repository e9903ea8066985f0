"""P510: a trigger too short or too generic to mean one thing, or of which normalisation leaves nothing. A guess."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.pipeline.spec import RegexTrigger
from engine.validation.reach import MOST, reached
from engine.validation.subject import Placed, Subject, is_quoted

P510 = Code("P510", "a trigger that is too short or too generic", heuristic=True)

SHARE = 0.05
LEAST = 5
"""A part that is found in this share of all other triggers, and in at least so many, means too little."""


def check(subject: Subject) -> Iterator[Problem]:
    found = reached(subject)
    for place, placed in enumerate(subject.triggers):
        kind, text = subject.index.triggers[place].kind, subject.index.forms[place].text
        others = found.get(place, [])
        if not text and kind != "regex":
            yield _problem(placed, "matches nothing: only signs that make no difference", "write words")
        elif kind == "contains" and len(text) <= 1:
            yield _problem(placed, "is one character and found almost everywhere", "write a longer part")
        elif kind != "regex" and _is_one_letter(subject, placed):
            hint = "write a longer text, or put it in quotes when it is meant"
            yield _problem(placed, "is one character, and fits nothing longer", hint)
        elif is_generic(subject, len(others)):
            some = ", ".join(f"`{subject.triggers[other].text.value}`" for other in others[:3])
            many = f"{len(others)} or more" if len(others) >= MOST else str(len(others))
            what = f"is found in {many} triggers of other replies: {some}"
            yield _problem(placed, what, "write a longer part, or list the sentences one by one")


def _is_one_letter(subject: Subject, placed: Placed) -> bool:
    """Whether a trigger is a letter that no other trigger of its reply holds, and that no quotation marks confirm."""
    letter = placed.text.value.strip()
    if len(letter) != 1 or not letter.isalnum() or is_quoted(subject, placed.text):
        return False
    others = (trigger.text.value for trigger in placed.reply.match if not isinstance(trigger, RegexTrigger))
    return not any(letter in other and len(other) > 1 for other in others)


def is_generic(subject: Subject, others: int) -> bool:
    """Whether a part that is found in so many triggers of other replies means too little."""
    return others >= min(MOST, max(LEAST, SHARE * len(subject.triggers)))


def _problem(placed: Placed, what: str, hint: str) -> Problem:
    message = f"trigger `{placed.text.value}` {what}"
    return P510.problem(message, placed.text.span, hint)
