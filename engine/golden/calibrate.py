"""Finds the threshold that suits a pipeline: wrong replies and missed ones at each, and what another would change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.core.errors import EngineError
from engine.core.expression import Condition
from engine.core.language import phrase
from engine.core.plan import Plan
from engine.core.ports import Candidate
from engine.core.source import EnvRef, Span, Text
from engine.golden.editing import Edit, Source
from engine.golden.result import ConversationResult, names_in
from engine.golden.writing import overwrite, scalar
from engine.pipeline.spec import PipelineSpec
from engine.steps.spec import StepSpec
from engine.text.cleaning import clean
from engine.validation.worlds import first_to_hold, worlds

LOWEST = 50
"""The least threshold that is tried."""

Origin = Literal["golden", "example", "counterexample"]
Verdict = Literal["right", "false accept", "false reject"]
_VERDICTS = {"right": phrase("right"), "false accept": phrase("false accept"), "false reject": phrase("false reject")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The reply that a sentence gets: `winner` is a reply's id, or `None` when the step lets it pass."""

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
        texts = [(text, True) for text in reply.examples] + [(text, False) for text in reply.counterexamples]
        for text, wanted in texts:
            judge = _declared_judge(plan, place, text.value, wanted=wanted)
            yield _sample(plan, text, "example" if wanted else "counterexample", reply.id.value, judge)


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


def _declared_judge(plan: Plan, own: int, text: str, *, wanted: bool) -> _Judge:
    """Right where there is a situation in which the reply at `own` is said, if it is `wanted`, or none, if it is not.

    Where a wanted one is not said, whoever stands first is to blame. Candidates behind the reply do not matter.
    """
    known: dict[int | None, bool] = {None: False}

    def judge(candidates: Sequence[Candidate]) -> Outcome:
        place = next((place for place, candidate in enumerate(candidates) if candidate.reply == own), None)
        if place is not None and place not in known:
            conditions = _conditions(plan, candidates[: place + 1])
            situations = worlds(conditions, text)
            known[place] = situations is None or any(
                first_to_hold(conditions, names) == place for names in situations.each
            )
        if known[place]:
            return Outcome(verdict="right" if wanted else "false accept", winner=plan.replies[own].id)
        if not wanted:
            return Outcome(verdict="right", winner=None)
        other = next((candidate for candidate in candidates if candidate.reply != own), None)
        if other is None:
            return Outcome(verdict="false reject", winner=None)
        return Outcome(verdict="false accept", winner=plan.replies[other.reply].id)

    return judge


def _conditions(plan: Plan, candidates: Sequence[Candidate]) -> list[Condition | None]:
    return [plan.replies[candidate.reply].when for candidate in candidates]


FALSE_ACCEPT = 2.0
FALSE_REJECT = 1.0
"""What a mistake costs: a wrong reply is worse than a sentence that a model answers."""


class NoThreshold(EngineError):
    """The pipeline has no threshold in its file that could be looked at or rewritten; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    threshold: int
    false_accepts: int
    false_rejects: int

    @property
    def cost(self) -> float:
        return FALSE_ACCEPT * self.false_accepts + FALSE_REJECT * self.false_rejects


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A sentence that gets something else at the recommended threshold."""

    sample: Sample
    now: str
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """`points` run from the lowest threshold to 100.

    `tuned` of the sentences are examples and counterexamples, which validation holds right at the current threshold.
    """

    pipeline: str
    current: float
    recommended: float
    samples: int
    tuned: int
    points: tuple[Point, ...]
    changes: tuple[Change, ...]
    mistakes: tuple[Change, ...]


def calibrate(name: str, current: float, samples: Sequence[Sample]) -> Calibration:
    """The calibration of a `replies` step whose threshold is `current` now."""
    points = tuple(_point(threshold, samples) for threshold in range(LOWEST, 101))
    recommended = recommend(points, current)
    changed = [one for one in samples if one.at(current) != one.at(recommended)]
    wrong = [one for one in samples if one.at(recommended).verdict != "right"]
    return Calibration(
        pipeline=name,
        current=current,
        recommended=recommended,
        samples=len(samples),
        tuned=sum(one.origin != "golden" for one in samples),
        points=points,
        changes=tuple(Change(sample=one, now=_got(one, current), then=_got(one, recommended)) for one in changed),
        mistakes=tuple(Change(sample=one, now=_got(one, recommended), then=_got(one, recommended)) for one in wrong),
    )


def recommend(points: Sequence[Point], current: float) -> float:
    """The cheapest threshold: the current one where it is among the cheapest, else the middle of their longest run."""
    least = min(point.cost for point in points)
    if any(point.threshold == current and point.cost == least for point in points):
        return current
    runs: list[list[int]] = []
    for point in points:
        if point.cost == least:
            if runs and runs[-1][-1] == point.threshold - 1:
                runs[-1].append(point.threshold)
            else:
                runs.append([point.threshold])
    longest = max(runs, key=len)
    return float(longest[len(longest) // 2])


def threshold_step(spec: PipelineSpec) -> StepSpec:
    """The pipeline's first step that searches; raises `NoThreshold`."""
    found = next((step for step in spec.steps if step.searches), None)
    if found is None:
        raise NoThreshold(phrase("{file}: the pipeline has no step of kind `replies`", file=spec.file))
    return found


def write_threshold(spec: PipelineSpec, value: float) -> Path:
    """Writes `value` into the pipeline's file, in the place of the threshold that stands there.

    Raises:
        NoThreshold: it does not stand in the file, or comes from the environment.
    """
    step = threshold_step(spec)
    if step.threshold is None:
        raise NoThreshold(
            phrase("{place}: step `{step}` has no `threshold`: add one", place=step.span, step=step.id.value)
        )
    span = step.threshold.span
    if isinstance(step.threshold.value, EnvRef):
        raise NoThreshold(
            phrase(
                "{place}: the threshold comes from {variable}: set it there",
                place=span,
                variable=step.threshold.value.name,
            )
        )
    path = Path(spec.file)
    source = Source.read(path)
    start, end = source.between(span)
    text = source.edited([Edit(start, end, scalar(int(value) if value == int(value) else value))])
    overwrite(path, source.bom + text.encode("utf-8"))
    return path


def _point(threshold: int, samples: Iterable[Sample]) -> Point:
    verdicts = [sample.at(threshold).verdict for sample in samples]
    return Point(
        threshold=threshold,
        false_accepts=verdicts.count("false accept"),
        false_rejects=verdicts.count("false reject"),
    )


def _got(sample: Sample, threshold: float) -> str:
    outcome = sample.at(threshold)
    return phrase(
        "{reply} ({verdict})", reply=outcome.winner or phrase("no canned reply"), verdict=_VERDICTS[outcome.verdict]
    )
