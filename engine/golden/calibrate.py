"""Which threshold suits a pipeline: wrong replies and missed ones at each, a proposal, and what it would change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import EngineError
from engine.core.source import EnvRef
from engine.golden.edits import Edit, Source, apply
from engine.golden.emit import scalar
from engine.golden.files import overwrite
from engine.golden.samples import LOWEST, Sample
from engine.pipeline.spec import PipelineSpec
from engine.steps.spec import StepSpec

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
    return Calibration(
        pipeline=name,
        current=current,
        recommended=recommended,
        samples=len(samples),
        tuned=sum(one.origin != "golden" for one in samples),
        points=points,
        changes=tuple(_changes(samples, current, recommended)),
        mistakes=tuple(
            Change(sample=one, now=_got(one, recommended), then=_got(one, recommended))
            for one in samples
            if one.at(recommended).verdict != "right"
        ),
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
        raise NoThreshold(f"{spec.file}: the pipeline has no step of kind `replies`")
    return found


def write_threshold(spec: PipelineSpec, value: float) -> Path:
    """Writes `value` into the pipeline's file, in the place of the threshold that stands there.

    Raises:
        NoThreshold: it does not stand in the file, or comes from the environment.
    """
    step = threshold_step(spec)
    if step.threshold is None:
        raise NoThreshold(f"{step.span}: step `{step.id.value}` has no `threshold`: add one")
    span = step.threshold.span
    if isinstance(step.threshold.value, EnvRef):
        raise NoThreshold(f"{span}: the threshold comes from {step.threshold.value.name}: set it there")
    path = Path(spec.file)
    text = path.read_bytes().decode("utf-8")
    source = Source.plain(text.removeprefix("\ufeff"))
    mark = text[: len(text) - len(source.text)]
    start, end = source.between(span)
    new = int(value) if value == int(value) else value
    overwrite(path, (mark + apply(source, [Edit(start, end, scalar(new))])).encode("utf-8"))
    return path


def _point(threshold: int, samples: Iterable[Sample]) -> Point:
    verdicts = [sample.at(threshold).verdict for sample in samples]
    return Point(
        threshold=threshold,
        false_accepts=verdicts.count("false accept"),
        false_rejects=verdicts.count("false reject"),
    )


def _changes(samples: Iterable[Sample], now: float, then: float) -> Iterable[Change]:
    for sample in samples:
        if sample.at(now) != sample.at(then):
            yield Change(sample=sample, now=_got(sample, now), then=_got(sample, then))


def _got(sample: Sample, threshold: float) -> str:
    outcome = sample.at(threshold)
    return f"{outcome.winner or 'no canned reply'} ({outcome.verdict})"
