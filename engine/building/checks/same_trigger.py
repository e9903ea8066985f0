"""P502: the same trigger twice after normalisation, so that one of the two can never select its reply.

Certain while the conditions look at the clock only; with others it is a warning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from engine.building.checks.subject import Placed, Subject
from engine.building.checks.worlds import always_beaten
from engine.model.source import Problem, Severity


def check(subject: Subject) -> Iterator[Problem]:
    groups: dict[tuple[str, str], list[Placed]] = defaultdict(list)
    for placed, trigger, form in zip(subject.triggers, subject.index.triggers, subject.index.forms, strict=True):
        groups[trigger.kind, form.text if trigger.kind != "regex" else trigger.text].append(placed)
    for group in groups.values():
        if len(group) > 1:
            yield from _within_replies(group)
            yield from _between_replies(subject, group)


def _within_replies(group: Sequence[Placed]) -> Iterator[Problem]:
    first: dict[int, Placed] = {}
    for placed in group:
        if placed.place in first:
            earlier = first[placed.place].text.value
            same = "stands twice" if earlier == placed.text.value else f"is the same as `{earlier}`"
            message = f"trigger `{placed.text.value}` {same} in reply `{placed.reply.id.value}`"
            hint = "remove it: width, kana, case and punctuation make no difference"
            yield Problem(code="P502", message=message, span=placed.text.span, severity="warning", hint=hint)
        first.setdefault(placed.place, placed)


def _between_replies(subject: Subject, group: Sequence[Placed]) -> Iterator[Problem]:
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
            winner = before[beaten.by]
            message = (
                f"`{loser.text.value}` never selects `{loser.reply.id.value}`: "
                f"`{winner.reply.id.value}` has the trigger `{winner.text.value}`, both score 100"
            )
            why = "has the higher priority" if winner.reply.priority > loser.reply.priority else "stands first"
            hint = f"remove one or give them a `when`; `{winner.reply.id.value}` {why}, at {winner.text.span}"
            severity: Severity = "error" if beaten.exact else "warning"
            yield Problem(code="P502", message=message, span=loser.text.span, severity=severity, hint=hint)


def _claim(placed: Placed) -> tuple[int, int]:
    return (-placed.reply.priority, placed.place)
