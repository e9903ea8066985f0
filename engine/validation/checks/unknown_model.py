"""P306: a `generate` step asks a model that `models` does not list."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.pipeline.schema.advice import hint
from engine.pipeline.schema.mend import STAND_IN
from engine.validation.subject import Subject

P306 = Code("P306", "an unknown model")


def check(subject: Subject) -> Iterator[Problem]:
    known = list(subject.spec.models)
    for step in subject.spec.steps:
        for model in step.models:
            if model.value not in (*known, STAND_IN) and "model" not in subject.lost:
                message = f"step `{step.id.value}` asks the model `{model.value}`, which does not exist"
                advice = hint(model.value, known) if known else "list it under `models`"
                yield P306.problem(message, model.span, advice)
