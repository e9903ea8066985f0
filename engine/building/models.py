"""Binds the `models` rows: environment in, typed settings out, and what is wrong with them said in the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.backends.registry import BACKENDS
from engine.building.environment import resolve
from engine.model.compiled import EnvRef, Given, ModelDeclaration
from engine.model.expression import Value
from engine.model.plan import ModelRow

Range = tuple[Callable[[Any], bool], str]
"""Whether a value fits, and what completes the sentence "it must be …"."""


def _whole(least: int, most: int) -> Range:
    return lambda value: isinstance(value, int) and least <= value <= most, f"a whole number from {least} to {most}"


def _number(least: float, most: float) -> Range:
    return lambda value: isinstance(value, int | float) and least <= value <= most, f"a number from {least} to {most}"


_RANGES: Mapping[str, Range] = {
    "max_tokens": _whole(1, 32_768),
    "temperature": _number(0, 2),
    "top_p": _number(0, 1),
    "top_k": _whole(1, 1_000_000),
    "min_p": _number(0, 1),
    "repeat_penalty": _number(0, 3),
    "context": _whole(128, 1_048_576),
    "threads": _whole(1, 256),
    "examples": _whole(0, 500),
    "seed": _whole(0, 4_294_967_295),
    "style": (lambda value: value in ("auto", "chat", "raw"), "auto, chat or raw"),
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
        value = resolve(given, env, number=key in _RANGES and key != "style")
    except ValueError as error:
        wrong.append(str(error))
        return given.default
    fits, what = _RANGES.get(key, (lambda _: True, ""))
    if value is None or fits(value):
        return value
    wrong.append(f"{given.name} is `{value}`, it must be {what}: set it so, or unset it")
    return given.default
