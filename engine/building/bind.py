"""A compiled pipeline and an environment to a plan: the part of building that every process does for itself.

It reads no file, and a value that does not fit never fails: it gives way to its default.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.building.environment import resolve, values
from engine.building.models import bind_model
from engine.model.compiled import Compiled, EnvRef
from engine.model.plan import GenerateStep, Plan, RepliesStep, Step
from engine.model.record import replace


def bind(compiled: Compiled, env: Mapping[str, str]) -> Plan:
    """The plan of `compiled` in `env`; what was not understood there is in its notices."""
    found, notices = values(env)
    plan = compiled.plan
    return replace(
        plan,
        deadline=plan.deadline if compiled.deadline is None else _number(compiled.deadline, env, plan.deadline),
        env=found,
        models={declared.id: bind_model(declared, env) for declared in compiled.models},
        steps=tuple(_bound(step, compiled.numbers.get(step.id), env) for step in plan.steps),
        notices=(*plan.notices, *notices),
    )


def _bound(step: Step, reference: EnvRef | None, env: Mapping[str, str]) -> Step:
    match step:
        case RepliesStep() if reference is not None:
            return replace(step, threshold=_number(reference, env, step.threshold))
        case GenerateStep() if reference is not None:
            return replace(step, timeout=_number(reference, env, step.timeout))
        case _:
            return step


def _number(reference: EnvRef, env: Mapping[str, str], default: float | None) -> float | None:
    try:
        value = resolve(reference, env)
    except ValueError:
        return default
    return float(value) if isinstance(value, int | float) else default
