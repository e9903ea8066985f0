"""Compiles the `models` rows: environment in, typed settings out, and what is wrong with them said in the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.backends.registry import BACKENDS
from engine.building.environment import resolve
from engine.model.expression import Value
from engine.model.plan import ModelRow
from engine.model.spec import EnvRef, ModelSpec, Setting

_RANGES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "max_tokens": (lambda value: isinstance(value, int) and 1 <= value <= 32_768, "a whole number from 1 to 32768"),
    "temperature": (lambda value: isinstance(value, int | float) and 0 <= value <= 2, "a number from 0 to 2"),
    "context": (lambda value: isinstance(value, int) and 128 <= value <= 1_048_576, "a whole number from 128"),
    "threads": (lambda value: isinstance(value, int) and 1 <= value <= 256, "a whole number from 1 to 256"),
}
"""The schema checks literals; these hold for what came from the environment."""


def build_model(spec: ModelSpec, env: Mapping[str, str]) -> ModelRow:
    """Never fails: a value that does not fit makes the row `misconfigured`, with the variable and the remedy."""
    wrong: list[str] = []
    backend = _resolved("backend", spec.backend, env, wrong)
    if backend not in BACKENDS:
        name = spec.backend.value.name if isinstance(spec.backend.value, EnvRef) else "backend"
        wrong.append(f"{name} is `{backend}`, it must be one of {', '.join(sorted(BACKENDS))}")
        backend = spec.backend.value.default if isinstance(spec.backend.value, EnvRef) else "auto"
    settings = {key: _resolved(key, setting, env, wrong) for key, setting in spec.settings.items()}
    return ModelRow(
        id=spec.id.value, backend=str(backend), settings=settings, misconfigured="; ".join(wrong) if wrong else None
    )


def _resolved(key: str, setting: Setting, env: Mapping[str, str], wrong: list[str]) -> Value:
    if not isinstance(setting.value, EnvRef):
        return setting.value
    try:
        value = resolve(setting.value, env)
    except ValueError as error:
        wrong.append(str(error))
        return setting.value.default
    fits, what = _RANGES.get(key, (lambda _: True, ""))
    if not fits(value):
        wrong.append(f"{setting.value.name} is `{value}`, it must be {what}: set it so, or unset it")
        return setting.value.default
    return value
