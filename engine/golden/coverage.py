"""What of a pipeline no golden has exercised: replies, steps, escalation reasons and conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.core.events import CandidateRefused, StepPassedOver, VariablesSet
from engine.core.source import Span
from engine.golden.pipelines import Pipelines
from engine.golden.result import ConversationResult, TurnResult
from engine.pipeline.spec import PipelineSpec
from engine.steps.spec import StepSpec

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
    """What happened in the turns of one pipeline; a condition is a step or reply with the value that it had."""

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
        yield Gap(kind="replies", what=name, span=reply.id.span), name in seen.replies
        if reply.when is not None and reply.match:
            yield from _condition("reply", name, reply.when.span, seen)
    for step in spec.steps:
        yield Gap(kind="steps", what=step.id.value, span=step.id.span), step.id.value in seen.steps
        if step.when is not None:
            yield from _condition("step", step.id.value, step.when.span, seen)
        for reason, span in _reasons(step):
            what = f"{step.id.value}: {reason}"
            yield Gap(kind="escalation reasons", what=what, span=span), (step.id.value, reason) in seen.reasons


def _condition(kind: str, name: str, span: Span, seen: _Seen) -> Iterator[tuple[Gap, bool]]:
    for value in (True, False):
        what = f"`when` of {kind} `{name}` is {str(value).lower()}"
        yield Gap(kind="conditions", what=what, span=span), (kind, name, value) in seen.conditions


def _reasons(step: StepSpec) -> Iterator[tuple[str, Span]]:
    """Each reason for which a step may escalate, once."""
    listed = {detector.reason.value: detector.reason.span for detector in step.detectors}
    yield from listed.items()
    yield from ((reason, step.id.span) for reason in ALWAYS if step.models and reason not in listed)
