"""P309: a model lacks a setting without which its backend cannot open it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, EnvRef, Problem
from engine.models.registry import BACKENDS
from engine.validation.subject import Subject

P309 = Code("P309", "a model without a setting that it needs")


def check(subject: Subject) -> Iterator[Problem]:
    for name, model in subject.spec.models.items():
        backend = model.backend.value
        usual = backend.default if isinstance(backend, EnvRef) else backend
        row = BACKENDS.get(str(usual))
        for setting in row.required if row else ():
            if setting not in model.settings and model.span not in subject.unsure:
                message = f"model `{name}` lacks `{setting}`, which the backend `{usual}` needs"
                yield P309.problem(message, model.id.span, f"add `{setting}: …`")
