"""P503, P504: an example that does not select its reply, or a counterexample that does, and what won instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.core.language import phrase
from engine.core.source import Code, Problem, Text
from engine.pipeline.reading.files import shortened
from engine.text.cleaning import clean
from engine.validation.checks.contested import losses_of
from engine.validation.contest import Contest, contest
from engine.validation.subject import Subject

P503 = Code("P503", "an example that does not select its reply")
P504 = Code("P504", "a counterexample that selects the reply")

FAR = 60.0
"""A score below which a trigger is no explanation of anything."""


def wrong_examples(subject: Subject) -> Iterator[Problem]:
    for place, reply in enumerate(subject.spec.replies):
        if place in subject.unsure_replies:
            continue
        for example in reply.examples:
            found = contest(subject, example.value, place)
            if not found.wins(place) and not found.is_idle(place):
                yield from _lost(found, place, example)
        # One that wins now may lose to a reply that is left out because of its own mistakes.
        if reply.counterexamples and not subject.unsure_replies:
            yield from _won_by(subject, place, reply.counterexamples)


def _won_by(subject: Subject, place: int, counterexamples: Sequence[Text]) -> Iterator[Problem]:
    """The counterexamples that select the reply; most are not even close to its own triggers."""
    own = subject.index.part(subject.rows.get(place, ()))
    for counterexample in counterexamples:
        if any(own.candidates(clean(counterexample.value), subject.threshold)):
            found = contest(subject, counterexample.value, place)
            if found.wins(place):
                yield _won(found, place, counterexample)


def _lost(found: Contest, place: int, example: Text) -> Iterator[Problem]:
    own = found.subject.spec.replies[place].id.value
    names = {"example": shortened(example.value), "own": own}
    standing = found.place_of(place)
    if standing is None:
        message = phrase("example `{example}` does not select `{own}`", **names)
        if found.candidates:
            other = found.spec(found.candidates[0]).id.value
            message = phrase("example `{example}` does not select `{own}`, but `{other}`", other=other, **names)
        yield P503.problem(message, example.span, _reason(found, place))
        return
    beaten = found.winner_instead_of(place)
    if beaten is None:
        message = phrase("example `{example}` does not select `{own}`: its `when` is never true", **names)
        yield P503.problem(message, example.span, phrase("correct `when`"))
        return
    winner, _ = beaten
    if (place, winner.reply) in losses_of(found.subject):
        return  # That the two share triggers is told of the triggers.
    score, best, other = found.candidates[standing].score, winner.score, found.spec(winner).id.value
    if score == best:
        hint = phrase("both score {score:.0f} and `{other}` goes before: raise `priority`", score=score, other=other)
    else:
        hint = phrase(
            "it scores {score:.0f}, the winner {best:.0f}: add the sentence to `match`", score=score, best=best
        )
    message = phrase("example `{example}` does not select `{own}`, but `{other}`", other=other, **names)
    yield P503.problem(message, example.span, hint)


def _reason(found: Contest, place: int) -> str:
    """The nearest of the reply's own triggers, and why it did not match."""
    tried = found.subject.index.explain(found.text, 0.0)
    own = next((candidate for candidate in tried if candidate.reply == place), None)
    if own is None:
        return phrase("add it to `match`, or a trigger like it")
    trigger = shortened(found.subject.index.triggers[own.trigger].text)
    if own.score < FAR:
        return phrase("none of its triggers is like it: add it to `match`, or take it out of `examples`")
    if own.refused:
        return phrase(
            "trigger `{trigger}` scores {score:.0f}, but {refused}",
            trigger=trigger,
            score=own.score,
            refused=own.refused,
        )
    return phrase(
        "trigger `{trigger}` scores {score:.0f}, below {threshold:g}: add a trigger like it",
        trigger=trigger,
        score=own.score,
        threshold=found.subject.threshold,
    )


def _won(found: Contest, place: int, counterexample: Text) -> Problem:
    own = found.subject.spec.replies[place].id.value
    standing = found.place_of(place)
    candidate = found.candidates[standing or 0]
    trigger = shortened(found.subject.index.triggers[candidate.trigger].text)
    message = phrase("counterexample `{example}` selects `{own}`", example=shortened(counterexample.value), own=own)
    hint = phrase(
        "trigger `{trigger}` scores {score:.0f}: make it more exact, or give this sentence its own reply",
        trigger=trigger,
        score=candidate.score,
    )
    return P504.problem(message, counterexample.span, hint)
