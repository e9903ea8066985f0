"""P501, P505: sentences that belong to one trigger and go to another reply, each with a witness and both scores.

P501: every sentence tried for a `contains` or `regex` trigger goes to another reply. P505: a fuzzy trigger holds what
another reply asks for by `contains` or `regex`, so that its own words select it and sentences close to them do not.
Both try sentences that are made up, so they are warnings.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.building.checks.contest import Contest, contest
from engine.building.checks.reach import reached
from engine.building.checks.subject import Placed, Subject
from engine.building.checks.witness import close_to, sentences_for
from engine.model.ports import Candidate
from engine.model.source import Problem


def check(subject: Subject) -> Iterator[Problem]:
    for placed, trigger in zip(subject.triggers, subject.index.triggers, strict=True):
        if trigger.kind != "fuzzy":
            yield from _always_stolen(subject, placed)
    yield from _nearly_stolen(subject)


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


def _nearly_stolen(subject: Subject) -> Iterator[Problem]:
    told: set[tuple[int, int]] = set()
    for wide, narrow in ((wide, narrow) for wide, narrows in reached(subject).items() for narrow in narrows):
        thief, owner = subject.triggers[wide], subject.triggers[narrow]
        # A higher priority says that the editor wants it so.
        if (thief.place, owner.place) in told or thief.reply.priority > owner.reply.priority:
            continue
        for sentence in close_to(owner.text.value):
            found = contest(subject, sentence, owner.place)
            beaten = found.winner_instead_of(owner.place)
            if beaten is not None and beaten[0].reply == thief.place:
                told.add((thief.place, owner.place))
                yield _problem("P505", "is stolen when it is said a little differently", owner, found, beaten[0])
                break


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
