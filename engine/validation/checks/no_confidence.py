"""P515: an escalation that relies on a confidence which the model's backend never gives."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem, Span
from engine.models.registry import BACKENDS
from engine.steps.spec import ExpressionDetectorSpec, StepSpec
from engine.validation.subject import Subject, literal

P515 = Code("P515", "a confidence that is never known", severity="warning")


def check(subject: Subject) -> Iterator[Problem]:
    for step in subject.spec.steps:
        for span in _reliances(subject, step):
            silent = [model.value for model in step.models if _is_silent(subject, model.value)]
            if silent:
                names = ", ".join(f"`{name}`" for name in silent)
                message = f"confidence is never known for {names}, so this never escalates there"
                hint = "remove it, or use a backend that gives probabilities"
                yield P515.problem(message, span, hint)


def _reliances(subject: Subject, step: StepSpec) -> Iterator[Span]:
    for detector in step.detectors:
        if isinstance(detector, ExpressionDetectorSpec):
            if "output.confidence" in detector.test.value:
                yield subject.sources.find(detector.test.span, "output.confidence")
        elif detector.name.value == "low_confidence":
            yield detector.name.span


def _is_silent(subject: Subject, model: str) -> bool:
    row = subject.spec.models.get(model)
    backend = BACKENDS.get(str(literal(row.backend))) if row else None
    return backend is not None and not backend.gives_confidence
