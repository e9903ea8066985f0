"""Finds triggers whose sentences another reply gets: the same ones, and those that are stolen."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from engine.core.language import phrase
from engine.core.ports import Candidate
from engine.core.record import record
from engine.core.source import Code, Problem, Severity
from engine.validation.checks.wordings import is_generic
from engine.validation.contest import Contest, contest
from engine.validation.reach import reached
from engine.validation.subject import Placed, Subject
from engine.validation.worlds import always_beaten

P502 = Code("P502", "the same trigger twice", severity="warning")
P501 = Code("P501", "a trigger that another reply steals", heuristic=True)
P505 = Code("P505", "a trigger that is stolen when it is said a little differently", heuristic=True)


@record
class Loss:
    """A trigger that never selects its reply, and the one that does instead; `exact` where that is certain."""

    loser: Placed
    winner: Placed
    exact: bool


def same_triggers(subject: Subject) -> Iterator[Problem]:
    """P502: the same trigger twice after normalisation, so that one of the two can never select its reply.

    Certain while the conditions look at the clock only; with others it is a warning. What one reply takes from another
    is one mistake, however many triggers they share.
    """
    for group in _groups(subject):
        yield from _within_replies(group)
    for losses in losses_of(subject).values():
        yield _lost(losses)


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
            earlier, reply = first[placed.place].text.value, placed.reply.id.value
            if earlier == placed.text.value:
                message = phrase("trigger `{trigger}` stands twice in reply `{reply}`", trigger=earlier, reply=reply)
            else:
                message = phrase(
                    "trigger `{trigger}` is the same as `{earlier}` in reply `{reply}`",
                    trigger=placed.text.value,
                    earlier=earlier,
                    reply=reply,
                )
            hint = phrase("remove it: width, kana, case and punctuation make no difference")
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


def _lost(losses: Sequence[Loss]) -> Problem:
    loser, winner = losses[0].loser, losses[0].winner
    more = len(losses) - 1
    names = {"trigger": loser.text.value, "reply": loser.reply.id.value, "winner": winner.reply.id.value}
    if not more:
        message = phrase(
            "`{trigger}` never selects `{reply}`: `{winner}` has the trigger `{other}`, both score 100",
            other=winner.text.value,
            **names,
        )
    elif more == 1:
        message = phrase(
            "`{trigger}` and 1 other trigger never select `{reply}`: `{winner}` has them as well, both score 100",
            **names,
        )
    else:
        message = phrase(
            "`{trigger}` and {more} other triggers never select `{reply}`: `{winner}` has them as well, both score 100",
            more=more,
            **names,
        )
    why = phrase("has the higher priority") if winner.reply.priority > loser.reply.priority else phrase("stands first")
    hint = phrase(
        "remove one or give them a `when`; `{winner}` {why}, at {place}",
        winner=winner.reply.id.value,
        why=why,
        place=winner.text.span,
    )
    severity: Severity = "error" if any(loss.exact for loss in losses) else "warning"
    return P502.problem(message, loser.text.span, hint, severity=severity)


def _claim(placed: Placed) -> tuple[int, int]:
    return (-placed.reply.priority, placed.place)


_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def stolen_triggers(subject: Subject) -> Iterator[Problem]:
    """P501, P505: sentences that belong to one trigger and go to another reply, each with a witness and both scores.

    P501: a `contains` trigger holds what another reply asks for by `contains` or `regex`, which takes its sentences.
    P505: a fuzzy trigger does, so that its own words select it and sentences close to them do not. Both try sentences
    that are made up, so they are warnings. One theft is reported for each thief.
    """
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
        yield _stolen(P501, phrase("is stolen"), placed, *first)


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
                yield _stolen(P505, phrase("is stolen when it is said a little differently"), owner, found, beaten[0])
                return


def _close_to(text: str) -> Sequence[str]:
    """The text as someone else might say it, with a particle or a word more."""
    return [f"{text}よ", f"{text}なの", f"ねえ、{text}"] if _JAPANESE.search(text) else [f"{text} please", f"so {text}"]


def _stolen(code: Code, what: str, placed: Placed, found: Contest, winner: Candidate) -> Problem:
    own = found.candidates[found.place_of(placed.place) or 0]
    thief = found.spec(winner).id.value
    by = found.subject.index.triggers[winner.trigger]
    message = phrase(
        "trigger `{trigger}` {what}: `{sentence}` goes to `{thief}`",
        trigger=placed.text.value,
        what=what,
        sentence=found.text,
        thief=thief,
    )
    hint = phrase(
        "it scores {own:.0f} here and {best:.0f} there by {kind} `{other}`; raise `priority` of `{reply}`, "
        "or narrow that trigger",
        own=own.score,
        best=winner.score,
        kind=by.kind,
        other=by.text,
        reply=placed.reply.id.value,
    )
    return code.problem(message, placed.text.span, hint)
