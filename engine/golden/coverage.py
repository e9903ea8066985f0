"""Tells what of a pipeline no golden has exercised, and which utterances another reply nearly takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.core.events import CandidateRefused, StepPassedOver, VariablesSet
from engine.core.language import phrase
from engine.core.source import Span
from engine.expressions.evaluate import holds
from engine.golden.result import ConversationResult, TurnResult, names_in
from engine.golden.run import MARGIN, Pipelines
from engine.pipeline.spec import PipelineSpec
from engine.text.cleaning import clean

ALWAYS = ("error", "timeout", "refusal", "empty")
"""Reasons for which a step escalates whether or not the pipeline lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that no golden exercised: `what` names it, `span` is where the editor wrote it."""

    kind: str
    what: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """`total` and `gaps` by kind, of one pipeline."""

    pipeline: str
    total: Mapping[str, int]
    gaps: tuple[Gap, ...]

    def exercised(self, kind: str) -> int:
        return self.total[kind] - sum(gap.kind == kind for gap in self.gaps)


@dataclass(slots=True)
class _Seen:
    """Collects what happened in the turns of one pipeline; a condition is a step or reply with its value."""

    replies: set[str] = field(default_factory=set)
    steps: set[str] = field(default_factory=set)
    reasons: set[tuple[str, str]] = field(default_factory=set)
    conditions: set[tuple[str, str, bool]] = field(default_factory=set)

    def take(self, turn: TurnResult) -> None:
        outcome = turn.outcome
        if outcome.reply_id is not None:
            self.replies.add(outcome.reply_id)
            self.conditions.add(("reply", outcome.reply_id, True))
        self.reasons |= {(escalation.step, escalation.reason) for escalation in outcome.escalations}
        if outcome.step is not None:
            self.steps.add(outcome.step)
        for event in outcome.trace:
            self.conditions.add(("step", event.step, not isinstance(event, StepPassedOver)))
            if isinstance(event, CandidateRefused):
                self.conditions.add(("reply", event.reply_id, False))
            elif isinstance(event, VariablesSet):
                self.steps.add(event.step)


def coverage(results: Iterable[ConversationResult], pipelines: Pipelines) -> list[Coverage]:
    """The coverage of each pipeline that some conversation ran on."""
    seen: dict[Path, _Seen] = {}
    for result in results:
        if result.skipped is None:
            record = seen.setdefault(result.golden.pipeline_path.resolve(), _Seen())
            for turn in result.turns:
                record.take(turn)
    return [_coverage(pipelines.spec(path), record) for path, record in seen.items()]


def _coverage(spec: PipelineSpec, seen: _Seen) -> Coverage:
    everything = list(_everything(spec, seen))
    total: dict[str, int] = {}
    for gap, _ in everything:
        total[gap.kind] = total.get(gap.kind, 0) + 1
    gaps = tuple(gap for gap, exercised in everything if not exercised)
    return Coverage(pipeline=spec.name.value, total=total, gaps=gaps)


def _everything(spec: PipelineSpec, seen: _Seen) -> Iterator[tuple[Gap, bool]]:
    for reply in spec.replies:
        name = reply.id.value
        yield Gap(kind=phrase("replies"), what=name, span=reply.id.span), name in seen.replies
        if reply.when is not None and reply.match:
            yield from _condition("reply", name, reply.when.span, seen)
    for step in spec.steps:
        yield Gap(kind=phrase("steps"), what=step.id.value, span=step.id.span), step.id.value in seen.steps
        if step.when is not None:
            yield from _condition("step", step.id.value, step.when.span, seen)
        reasons = {detector.reason.value: detector.reason.span for detector in step.detectors}
        reasons |= {reason: step.id.span for reason in ALWAYS if step.models and reason not in reasons}
        for reason, span in reasons.items():
            what = f"{step.id.value}: {reason}"
            yield Gap(kind=phrase("escalation reasons"), what=what, span=span), (step.id.value, reason) in seen.reasons


_CONDITIONS = {
    ("reply", True): phrase("`when` of reply `{name}` is true"),
    ("reply", False): phrase("`when` of reply `{name}` is false"),
    ("step", True): phrase("`when` of step `{name}` is true"),
    ("step", False): phrase("`when` of step `{name}` is false"),
}


def _condition(kind: str, name: str, span: Span, seen: _Seen) -> Iterator[tuple[Gap, bool]]:
    for value in (True, False):
        what = phrase(_CONDITIONS[kind, value], name=name)
        yield Gap(kind=phrase("conditions"), what=what, span=span), (kind, name, value) in seen.conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """`winner` answers with `score`, or a model does (`None`, with the threshold for a score); `rival` comes close."""

    span: Span
    text: str
    winner: str | None
    score: float
    rival: str
    rival_score: float

    def __str__(self) -> str:
        won = phrase("no reply, at a threshold of {score:g}", score=self.score)
        if self.winner:
            won = phrase("`{winner}` with {score:.1f}", winner=self.winner, score=self.score)
        return phrase(
            "{place}: `{text}` gets {won}, and `{rival}` is near with {score:.1f}",
            place=self.span,
            text=self.text,
            won=won,
            rival=self.rival,
            score=self.rival_score,
        )


def near_misses(results: Iterable[ConversationResult]) -> list[NearMiss]:
    """Each utterance once for each rival, in the order of the goldens."""
    found: dict[tuple[str, str], NearMiss] = {}
    for result in results:
        for turn in result.turns:
            for miss in _near_misses_of(turn, result):
                found.setdefault((miss.text, miss.rival), miss)
    return list(found.values())


def _near_misses_of(turn: TurnResult, result: ConversationResult) -> Iterator[NearMiss]:
    plan = result.plan
    step = next((step for step in plan.steps if step.searches), None) if plan else None
    if plan is None or step is None:
        return
    text = clean(turn.spec.user.value)
    names = names_in(turn, result)
    winner = turn.outcome.reply_id if turn.outcome.engine == "canned" else None
    candidates = plan.index.candidates(text, max(step.threshold - MARGIN, 0.0))
    scores = {plan.replies[one.reply].id: one for one in candidates if holds(plan.replies[one.reply].when, names)}
    won = scores.get(winner) if winner is not None else None
    # A trigger that is the utterance itself stands before all others.
    if won is not None and getattr(won, "exact", False):
        return
    score = step.threshold if won is None else won.score
    for name, one in scores.items():
        if name != winner and one.score > score - MARGIN:
            yield NearMiss(
                span=turn.spec.user.span, text=text, winner=winner, score=score, rival=name, rival_score=one.score
            )
