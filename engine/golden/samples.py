"""Sentences with the reply that each must get, from goldens, `examples` and `counterexamples`, at any threshold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.core.expression import Condition
from engine.core.plan import Plan
from engine.core.ports import Candidate
from engine.core.source import Span, Text
from engine.golden.result import ConversationResult, names_in
from engine.pipeline.spec import PipelineSpec
from engine.text.cleaning import clean
from engine.validation.worlds import first_to_hold, worlds

LOWEST = 50
"""The least threshold that is tried."""

Origin = Literal["golden", "example", "counterexample"]
Verdict = Literal["right", "false accept", "false reject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a sentence gets: `winner` is a reply's id, or `None` when the step lets it pass."""

    verdict: Verdict
    winner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """`wanted` is the reply that must come, `None` for none; of a counterexample it is the one that must not.

    `outcomes` holds what happens when that many of the best candidates reach the threshold, `scores` theirs.
    """

    text: str
    origin: Origin
    wanted: str | None
    span: Span
    scores: tuple[float, ...]
    outcomes: tuple[Outcome, ...]

    def at(self, threshold: float) -> Outcome:
        return self.outcomes[sum(score >= threshold for score in self.scores)]


def samples(spec: PipelineSpec, plan: Plan, results: Iterable[ConversationResult]) -> list[Sample]:
    """Every sentence that says something about the threshold; goldens that fail say nothing."""
    return [*_from_replies(spec, plan), *_from_goldens(plan, results)]


def _from_replies(spec: PipelineSpec, plan: Plan) -> Iterator[Sample]:
    for place, reply in enumerate(spec.replies):
        for example in reply.examples:
            yield _sample(plan, example, "example", reply.id.value, _example_judge(plan, place, example.value))
        for counterexample in reply.counterexamples:
            judge = _counterexample_judge(plan, place, counterexample.value)
            yield _sample(plan, counterexample, "counterexample", reply.id.value, judge)


def _from_goldens(plan: Plan, results: Iterable[ConversationResult]) -> Iterator[Sample]:
    for result in results:
        for turn in result.turns:
            if turn.status == "passed" and turn.outcome.engine is not None:
                wanted = turn.outcome.reply_id if turn.outcome.engine == "canned" else None
                judge = _golden_judge(plan, wanted, names_in(turn, result))
                yield _sample(plan, turn.spec.user, "golden", wanted, judge)


_Judge = Callable[[Sequence[Candidate]], Outcome]


def _sample(plan: Plan, text: Text, origin: Origin, wanted: str | None, judge: _Judge) -> Sample:
    candidates = tuple(plan.index.candidates(clean(text.value), LOWEST))
    return Sample(
        text=text.value,
        origin=origin,
        wanted=wanted,
        span=text.span,
        scores=tuple(candidate.score for candidate in candidates),
        outcomes=tuple(judge(candidates[:count]) for count in range(len(candidates) + 1)),
    )


def _golden_judge(plan: Plan, wanted: str | None, names: Mapping[str, Any]) -> _Judge:
    def judge(candidates: Sequence[Candidate]) -> Outcome:
        place = first_to_hold(_conditions(plan, candidates), names)
        winner = None if place is None else plan.replies[candidates[place].reply].id
        if winner == wanted:
            return Outcome(verdict="right", winner=winner)
        return Outcome(verdict="false reject" if winner is None else "false accept", winner=winner)

    return judge


def _example_judge(plan: Plan, own: int, text: str) -> _Judge:
    """Right where the reply is said in some situation; otherwise whoever stands first is to blame."""
    wins = _Wins(plan, own, text)

    def judge(candidates: Sequence[Candidate]) -> Outcome:
        if wins(candidates):
            return Outcome(verdict="right", winner=plan.replies[own].id)
        others = [candidate for candidate in candidates if candidate.reply != own]
        if not others:
            return Outcome(verdict="false reject", winner=None)
        return Outcome(verdict="false accept", winner=plan.replies[others[0].reply].id)

    return judge


def _counterexample_judge(plan: Plan, own: int, text: str) -> _Judge:
    wins = _Wins(plan, own, text)

    def judge(candidates: Sequence[Candidate]) -> Outcome:
        if wins(candidates):
            return Outcome(verdict="false accept", winner=plan.replies[own].id)
        return Outcome(verdict="right", winner=None)

    return judge


class _Wins:
    """Whether there is a situation in which the reply at `own` is the one said; candidates behind it do not matter."""

    def __init__(self, plan: Plan, own: int, text: str) -> None:
        self._plan, self._own, self._text = plan, own, text
        self._known: dict[int, bool] = {}

    def __call__(self, candidates: Sequence[Candidate]) -> bool:
        place = next((place for place, candidate in enumerate(candidates) if candidate.reply == self._own), None)
        if place is None:
            return False
        if place not in self._known:
            self._known[place] = self._holds_first(_conditions(self._plan, candidates[: place + 1]))
        return self._known[place]

    def _holds_first(self, conditions: Sequence[Condition | None]) -> bool:
        situations = worlds(conditions, self._text)
        last = len(conditions) - 1
        return situations is None or any(first_to_hold(conditions, names) == last for names in situations.each)


def _conditions(plan: Plan, candidates: Sequence[Candidate]) -> list[Condition | None]:
    return [plan.replies[candidate.reply].when for candidate in candidates]
