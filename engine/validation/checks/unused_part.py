"""P511: a model that no step asks. Prompt files that no step names are found where all pipelines are known."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.validation.subject import Subject

P511 = Code("P511", "a model or a prompt that no step uses", severity="warning")


def check(subject: Subject) -> Iterator[Problem]:
    asked = {model.value for step in subject.spec.steps for model in step.models}
    if not subject.sound_steps or not asked <= set(subject.spec.models):
        return
    for name, model in subject.spec.models.items():
        if name not in asked:
            message = f"no step asks the model `{name}`"
            hint = "name it in a step of kind `generate`, or remove it"
            yield P511.problem(message, model.id.span, hint)
