"""P527: a mask in a pipeline that asks no external model, so that nothing is kept from anybody."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, EnvRef, Problem
from engine.models.registry import BACKENDS
from engine.pipeline.spec import ModelSpec
from engine.validation.subject import Subject

P527 = Code("P527", "a mask that nothing needs", severity="warning")


def check(subject: Subject) -> Iterator[Problem]:
    spec = subject.spec
    if spec.mask and not any(_may_be_external(model) for model in spec.models.values()):
        message = f"`{spec.mask[0].value}` is masked for external models, and the pipeline has none"
        hint = "remove `mask`: local models see the text as it is"
        yield P527.problem(message, spec.mask[0].span, hint)


def _may_be_external(model: ModelSpec) -> bool:
    row = None if isinstance(model.backend.value, EnvRef) else BACKENDS.get(str(model.backend.value))
    return row is None or row.engine == "external"
