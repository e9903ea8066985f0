"""Binds a compiled pipeline to an environment, which makes it a plan: the part of building that every process does.

It reads no file, and a value that does not fit never fails: it gives way to its default, with a notice in the plan or
in the row of its model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Union

from engine.core.expression import Value
from engine.core.plan import ModelRow, Plan
from engine.core.record import record, replace
from engine.core.source import EnvRef
from engine.models.registry import BACKENDS, SETTINGS
from engine.models.settings import Flag, Kind, Number
from engine.pipeline.environment import FLAG, LIMITS, NUMBER, TEXT, TIME, Variable, read, resolve, values

Given = Union[Value, EnvRef]
"""A literal or a reference to the environment."""


@record
class ModelDeclaration:
    """A row of `models` as the pipeline gives it; `settings` holds every key but `backend`."""

    id: str
    backend: Given
    settings: Mapping[str, Given]


@record
class Compiled:
    """`plan` has no models and no environment, and every reference in it stands at its default.

    `deadline` and `numbers`, by a step's id and field as in `canned.threshold`, are the references that an environment
    may set.
    """

    plan: Plan
    deadline: EnvRef | None
    numbers: Mapping[str, EnvRef]
    models: tuple[ModelDeclaration, ...]


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
    wanted = NUMBER if isinstance(kind, Number) else FLAG if isinstance(kind, Flag) else TEXT
    try:
        value = _without_none(resolve(given, env, wanted), kind)
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


def bind(compiled: Compiled, env: Mapping[str, str]) -> Plan:
    """The plan of `compiled` in `env`; what was not understood there is in its notices."""
    found, notices = values(env)
    plan, steps = compiled.plan, []

    def limit(reference: EnvRef | None, variable: Variable, default: Any) -> Any:
        try:
            return default if reference is None else read(reference.name, variable, env, default)
        except ValueError as error:
            notices.append(str(error))
            return default

    deadline = limit(compiled.deadline, TIME, plan.deadline)
    for step in plan.steps:
        set_here = [name for name in LIMITS if f"{step.id}.{name}" in compiled.numbers]
        changes = {
            name: limit(compiled.numbers[f"{step.id}.{name}"], LIMITS[name], getattr(step, name)) for name in set_here
        }
        steps.append(replace(step, **changes) if changes else step)
    return replace(
        plan,
        deadline=deadline,
        env=found,
        models={declared.id: bind_model(declared, env) for declared in compiled.models},
        steps=tuple(steps),
        notices=(*plan.notices, *notices),
    )
