"""P502: the same trigger twice after normalisation, so that one of the two can never select its reply.

Certain while the conditions look at the clock only; with others it is a warning. What one reply takes from another is
one mistake, however many triggers they share.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from engine.core.record import record
from engine.core.source import Code, Problem, Severity
from engine.validation.subject import Placed, Subject
from engine.validation.worlds import always_beaten

P502 = Code("P502", "the same trigger twice", severity="warning")


@record
class Loss:
    """A trigger that never selects its reply, and the one that does instead; `exact` where that is certain."""

    loser: Placed
    winner: Placed
    exact: bool


def check(subject: Subject) -> Iterator[Problem]:
    for group in _groups(subject):
        yield from _within_replies(group)
    for losses in losses_of(subject).values():
        yield _problem(losses)


@lru_cache(maxsize=1)
def losses_of(subject: Subject) -> Mapping[tuple[int, int], Sequence[Loss]]:
    """The triggers that a reply loses to another, by the positions of both: the loser's first."""
    found: dict[tuple[int, int], list[Loss]] = defaultdict(list)
    for group in _groups(subject):
        for loss in _between_replies(subject, group):
            found[loss.loser.place, loss.winner.place].append(loss)
    return found


def _groups(subject: Subject) -> Sequence[Sequence[Placed]]:
    """Triggers that are the same, where there are several."""
    groups: dict[tuple[str, str], list[Placed]] = defaultdict(list)
    for placed, trigger, form in zip(subject.triggers, subject.index.triggers, subject.index.forms, strict=True):
        groups[trigger.kind, form.text if trigger.kind != "regex" else trigger.text].append(placed)
    return [group for group in groups.values() if len(group) > 1]


def _within_replies(group: Sequence[Placed]) -> Iterator[Problem]:
    first: dict[int, Placed] = {}
    for placed in group:
        if placed.place in first:
            earlier = first[placed.place].text.value
            same = "stands twice" if earlier == placed.text.value else f"is the same as `{earlier}`"
            message = f"trigger `{placed.text.value}` {same} in reply `{placed.reply.id.value}`"
            hint = "remove it: width, kana, case and punctuation make no difference"
            yield P502.problem(message, placed.text.span, hint)
        first.setdefault(placed.place, placed)


def _between_replies(subject: Subject, group: Sequence[Placed]) -> Iterator[Loss]:
    # Equal scores are decided by priority, then by file order.
    ranked = sorted({placed.place: placed for placed in reversed(group)}.values(), key=_claim)
    # Nobody behind the first reply without a condition can win, so nobody else needs to be looked at.
    always = next((place for place, placed in enumerate(ranked) if placed.reply.when is None), len(ranked))
    for place, loser in enumerate(ranked):
        before = ranked[: min(place, always + 1)]
        beaten = always_beaten(
            [subject.when(placed.place) for placed in before], subject.when(loser.place), loser.text.value
        )
        if beaten is not None:
            yield Loss(loser=loser, winner=before[beaten.by], exact=beaten.exact)


def _problem(losses: Sequence[Loss]) -> Problem:
    loser, winner = losses[0].loser, losses[0].winner
    more = len(losses) - 1
    lost = f"`{loser.text.value}` never selects"
    has = f"the trigger `{winner.text.value}`"
    if more:
        lost = f"`{loser.text.value}` and {more} other trigger{'s' if more > 1 else ''} never select"
        has = "them as well"
    message = f"{lost} `{loser.reply.id.value}`: `{winner.reply.id.value}` has {has}, both score 100"
    why = "has the higher priority" if winner.reply.priority > loser.reply.priority else "stands first"
    hint = f"remove one or give them a `when`; `{winner.reply.id.value}` {why}, at {winner.text.span}"
    severity: Severity = "error" if any(loss.exact for loss in losses) else "warning"
    return P502.problem(message, loser.text.span, hint, severity=severity)


def _claim(placed: Placed) -> tuple[int, int]:
    return (-placed.reply.priority, placed.place)
