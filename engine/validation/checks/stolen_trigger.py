"""P501, P505: sentences that belong to one trigger and go to another reply, each with a witness and both scores.

P501: every sentence tried for a `contains` or `regex` trigger goes to another reply. P505: a fuzzy trigger holds what
another reply asks for by `contains` or `regex`, so that its own words select it and sentences close to them do not.
Both try sentences that are made up, so they are warnings. Only pairs that share words are tried, and one theft is
reported for each thief.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from engine.core.ports import Candidate
from engine.core.source import Problem
from engine.validation.checks.generic_trigger import is_generic
from engine.validation.contest import Contest, contest
from engine.validation.reach import reached
from engine.validation.subject import Placed, Subject
from engine.validation.witness import close_to, sentences_for
from engine.validation.worlds import always_beaten

MOST_REGEXES = 500
"""Regexes tried; a sentence has to be made up for each."""


def check(subject: Subject) -> Iterator[Problem]:
    kinds = [trigger.kind for trigger in subject.index.triggers]
    in_others = {narrow for narrows in reached(subject).values() for narrow in narrows if kinds[narrow] == "contains"}
    regexes = islice((place for place, kind in enumerate(kinds) if kind == "regex"), MOST_REGEXES)
    for place in sorted((*in_others, *regexes)):
        yield from _always_stolen(subject, subject.triggers[place])
    for wide, narrows in reached(subject).items():
        if not is_generic(subject, len(narrows)):
            yield from _nearly_stolen(subject, wide, [narrow for narrow in narrows if kinds[narrow] == "fuzzy"])


def _always_stolen(subject: Subject, placed: Placed) -> Iterator[Problem]:
    """Where every witness is lost, not just one that another reply happens to name."""
    first: tuple[Contest, Candidate] | None = None
    for sentence in sentences_for(placed):
        found = contest(subject, sentence, placed.place)
        beaten = found.winner_instead_of(placed.place)
        if beaten is None:
            return
        first = first or (found, beaten[0])
    if first is not None:
        yield _problem("P501", "is stolen", placed, *first)


def _nearly_stolen(subject: Subject, wide: int, narrows: Sequence[int]) -> Iterator[Problem]:
    thief = subject.triggers[wide]
    for owner in (subject.triggers[narrow] for narrow in narrows):
        # A higher priority says that the editor wants it so.
        if thief.reply.priority > owner.reply.priority:
            continue
        if always_beaten([subject.when(thief.place)], subject.when(owner.place), owner.text.value) is None:
            continue
        for sentence in close_to(owner.text.value):
            found = contest(subject, sentence, owner.place)
            beaten = found.winner_instead_of(owner.place)
            if beaten is not None and beaten[0].trigger == wide:
                yield _problem("P505", "is stolen when it is said a little differently", owner, found, beaten[0])
                return


def _problem(code: str, what: str, placed: Placed, found: Contest, winner: Candidate) -> Problem:
    own = found.candidates[found.place_of(placed.place) or 0]
    thief = found.spec(winner).id.value
    by = found.subject.index.triggers[winner.trigger]
    message = f"trigger `{placed.text.value}` {what}: `{found.text}` goes to `{thief}`"
    hint = (
        f"it scores {own.score:.0f} here and {winner.score:.0f} there by {by.kind} `{by.text}`; "
        f"raise `priority` of `{placed.reply.id.value}`, or narrow that trigger"
    )
    return Problem(code=code, message=message, span=placed.text.span, severity="warning", hint=hint)
