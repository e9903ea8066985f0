"""A compiled pipeline and an environment to a plan: the part of building that every process does for itself.

It reads no file, and a value that does not fit never fails: it gives way to its default.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.plan import Plan, Step
from engine.core.record import replace
from engine.core.source import EnvRef
from engine.pipeline.compiled import Compiled
from engine.pipeline.environment import LIMITS, TIME, Bounds, bounded, values
from engine.pipeline.model_rows import bind_model


def bind(compiled: Compiled, env: Mapping[str, str]) -> Plan:
    """The plan of `compiled` in `env`; what was not understood there is in its notices."""
    found, notices = values(env)
    plan = compiled.plan
    numbers = _Numbers(env, notices)
    return replace(
        plan,
        deadline=numbers.read(compiled.deadline, plan.deadline, TIME),
        env=found,
        models={declared.id: bind_model(declared, env) for declared in compiled.models},
        steps=tuple(_bound(step, compiled.numbers, numbers) for step in plan.steps),
        notices=(*plan.notices, *notices),
    )


def _bound(step: Step, references: Mapping[str, EnvRef], numbers: _Numbers) -> Step:
    for name, bounds in LIMITS.items():
        reference = references.get(f"{step.id}.{name}")
        if reference is not None:
            step = replace(step, **{name: numbers.read(reference, getattr(step, name), bounds)})
    return step


class _Numbers:
    """Reads references that stand for numbers, and notes what does not fit."""

    def __init__(self, env: Mapping[str, str], notices: list[str]) -> None:
        self._env = env
        self._notices = notices

    def read(self, reference: EnvRef | None, default: float | None, bounds: Bounds) -> float | None:
        try:
            value = None if reference is None else bounded(reference, self._env, bounds)
        except ValueError as error:
            self._notices.append(str(error))
            return default
        return default if value is None else value
