"""P511: a model that no step asks, or a prompt file beside the others that no step names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.building.checks.subject import Subject
from engine.model.source import Problem


def check(subject: Subject) -> Iterator[Problem]:
    asked = {model.value for step in subject.generate_steps for model in step.models}
    for name, model in subject.spec.models.items():
        if name not in asked:
            message = f"no step asks the model `{name}`"
            hint = "name it in a step of kind `generate`, or remove it"
            yield Problem(code="P511", message=message, span=model.id.span, severity="warning", hint=hint)


def prompts_of(subject: Subject) -> set[Path]:
    """The prompt files that the pipeline uses."""
    return {Path(prompt.file) for prompt in subject.prompts.values()}
