"""P310: `${NAME}` names an environment variable that the engine does not know.

A near miss of a known name is an error; any other name may be the pipeline's own, which is a warning. Secrets are
refused: they are read by the backend that needs them and stand in no setting.
"""

from __future__ import annotations

from collections.abc import Iterator

from rapidfuzz.distance import OSA

from engine.core.source import Code, EnvRef, Problem, Setting
from engine.models.secrets import is_refused, is_secret
from engine.pipeline.environment import VARIABLES
from engine.validation.subject import Subject

P310 = Code("P310", "an unknown environment variable")

NEAR = 2
"""Edits between a name and a known one up to which it is taken for a misspelling."""


def check(subject: Subject) -> Iterator[Problem]:
    for setting in _settings(subject):
        if isinstance(setting.value, EnvRef) and setting.value.name not in VARIABLES:
            yield _problem(setting, setting.value.name)


def _settings(subject: Subject) -> Iterator[Setting]:
    spec = subject.spec
    yield spec.deadline
    for model in spec.models.values():
        yield model.backend
        yield from model.settings.values()
    for step in spec.steps:
        yield from step.settings


def _problem(setting: Setting, name: str) -> Problem:
    if is_refused(name):
        message = f"`{name}` is a secret" if is_secret(name) else f"`{name}` is AWS's own, and may be a secret"
        hint = "remove it: what needs it reads it from the environment by itself"
        return P310.problem(message, setting.span, hint)
    close = min(VARIABLES, key=lambda known: OSA.distance(name, known))
    message = f"environment variable `{name}` is not one that the engine knows"
    if OSA.distance(name, close) <= NEAR:
        return P310.problem(message, setting.span, f"did you mean `{close}`?")
    hint = "leave it when it is your own; its default gives it its type"
    return P310.problem(message, setting.span, hint, severity="warning")
