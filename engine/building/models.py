"""Binds the `models` rows: environment in, typed settings out, and what is wrong with them said in the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.backends.registry import BACKENDS
from engine.building.environment import resolve
from engine.model.compiled import EnvRef, Given, ModelDeclaration
from engine.model.expression import Value
from engine.model.plan import ModelRow

_RANGES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "max_tokens": (lambda value: isinstance(value, int) and 1 <= value <= 32_768, "a whole number from 1 to 32768"),
    "temperature": (lambda value: isinstance(value, int | float) and 0 <= value <= 2, "a number from 0 to 2"),
    "context": (lambda value: isinstance(value, int) and 128 <= value <= 1_048_576, "a whole number from 128"),
    "threads": (lambda value: isinstance(value, int) and 1 <= value <= 256, "a whole number from 1 to 256"),
}
"""The schema checks literals; these hold for what came from the environment."""


def bind_model(declared: ModelDeclaration, env: Mapping[str, str]) -> ModelRow:
    """Never fails: a value that does not fit makes the row `misconfigured`, with the variable and the remedy."""
    wrong: list[str] = []
    backend = _resolved("backend", declared.backend, env, wrong)
    if backend not in BACKENDS:
        name = declared.backend.name if isinstance(declared.backend, EnvRef) else "backend"
        wrong.append(f"{name} is `{backend}`, it must be one of {', '.join(sorted(BACKENDS))}")
        backend = declared.backend.default if isinstance(declared.backend, EnvRef) else "auto"
    settings = {key: _resolved(key, given, env, wrong) for key, given in declared.settings.items()}
    return ModelRow(
        id=declared.id, backend=str(backend), settings=settings, misconfigured="; ".join(wrong) if wrong else None
    )


def _resolved(key: str, given: Given, env: Mapping[str, str], wrong: list[str]) -> Value:
    if not isinstance(given, EnvRef):
        return given
    try:
        value = resolve(given, env)
    except ValueError as error:
        wrong.append(str(error))
        return given.default
    fits, what = _RANGES.get(key, (lambda _: True, ""))
    if not fits(value):
        wrong.append(f"{given.name} is `{value}`, it must be {what}: set it so, or unset it")
        return given.default
    return value
