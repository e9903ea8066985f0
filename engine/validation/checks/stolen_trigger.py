"""P501, P505: sentences that belong to one trigger and go to another reply, each with a witness and both scores.

P501: a `contains` trigger holds what another reply asks for by `contains` or `regex`, which takes its sentences. P505:
a fuzzy trigger does, so that its own words select it and sentences close to them do not. Both try sentences that are
made up, so they are warnings. One theft is reported for each thief.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from engine.core.ports import Candidate
from engine.core.source import Code, Problem
from engine.validation.checks.generic_trigger import is_generic
from engine.validation.contest import Contest, contest
from engine.validation.reach import reached
from engine.validation.subject import Placed, Subject
from engine.validation.worlds import always_beaten

P501 = Code("P501", "a trigger that another reply steals", heuristic=True)
P505 = Code("P505", "a trigger that is stolen when it is said a little differently", heuristic=True)

_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def check(subject: Subject) -> Iterator[Problem]:
    kinds = [trigger.kind for trigger in subject.index.triggers]
    in_others = {narrow for narrows in reached(subject).values() for narrow in narrows if kinds[narrow] == "contains"}
    for place in sorted(in_others):
        yield from _always_stolen(subject, subject.triggers[place])
    for wide, narrows in reached(subject).items():
        if not is_generic(subject, len(narrows)):
            yield from _nearly_stolen(subject, wide, [narrow for narrow in narrows if kinds[narrow] == "fuzzy"])


def _always_stolen(subject: Subject, placed: Placed) -> Iterator[Problem]:
    """Where every sentence is lost, not just one that another reply happens to name."""
    part = placed.text.value
    first: tuple[Contest, Candidate] | None = None
    for sentence in (f"あの、{part}のことなんだけど" if _JAPANESE.search(part) else f"well, {part} you know", part):
        found = contest(subject, sentence, placed.place)
        beaten = found.winner_instead_of(placed.place)
        if beaten is None:
            return
        first = first or (found, beaten[0])
    if first is not None:
        yield _problem(P501, "is stolen", placed, *first)


def _nearly_stolen(subject: Subject, wide: int, narrows: Sequence[int]) -> Iterator[Problem]:
    thief = subject.triggers[wide]
    for owner in (subject.triggers[narrow] for narrow in narrows):
        # A higher priority says that the editor wants it so.
        if thief.reply.priority > owner.reply.priority:
            continue
        if always_beaten([subject.when(thief.place)], subject.when(owner.place), owner.text.value) is None:
            continue
        for sentence in _close_to(owner.text.value):
            found = contest(subject, sentence, owner.place)
            beaten = found.winner_instead_of(owner.place)
            if beaten is not None and beaten[0].trigger == wide:
                yield _problem(P505, "is stolen when it is said a little differently", owner, found, beaten[0])
                return


def _close_to(text: str) -> Sequence[str]:
    """The text as someone else might say it, with a particle or a word more."""
    return [f"{text}よ", f"{text}なの", f"ねえ、{text}"] if _JAPANESE.search(text) else [f"{text} please", f"so {text}"]


def _problem(code: Code, what: str, placed: Placed, found: Contest, winner: Candidate) -> Problem:
    own = found.candidates[found.place_of(placed.place) or 0]
    thief = found.spec(winner).id.value
    by = found.subject.index.triggers[winner.trigger]
    message = f"trigger `{placed.text.value}` {what}: `{found.text}` goes to `{thief}`"
    hint = (
        f"it scores {own.score:.0f} here and {winner.score:.0f} there by {by.kind} `{by.text}`; "
        f"raise `priority` of `{placed.reply.id.value}`, or narrow that trigger"
    )
    return code.problem(message, placed.text.span, hint)
