"""Binds the `models` rows: environment in, typed settings out, and what is wrong with them said in the row."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.expression import Value
from engine.core.plan import ModelRow
from engine.core.source import EnvRef
from engine.models.registry import BACKENDS, SETTINGS
from engine.models.settings import Flag, Kind, Number
from engine.pipeline.compiled import Given, ModelDeclaration
from engine.pipeline.environment import Wanted, resolve

_WANTED: Mapping[type, Wanted] = {Number: "number", Flag: "flag"}
"""What a variable without a default is read as."""


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
    kind = SETTINGS.get(key)
    if not isinstance(given, EnvRef):
        return _without_none(given, kind)
    try:
        value = _without_none(resolve(given, env, _WANTED.get(type(kind), "text")), kind)
    except ValueError as error:
        wrong.append(str(error))
        return given.default
    if value is None or kind is None or kind.fits(value):
        return value
    wrong.append(f"{given.name} is `{value}`, it must be {kind}: set it so, or unset it")
    return given.default


def _without_none(value: Value, kind: Kind | None) -> Value:
    optional = isinstance(kind, Number) and kind.optional
    return None if optional and isinstance(value, str) and value.strip().lower() == "none" else value
