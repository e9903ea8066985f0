"""Tells local models how their prompts will begin, before the first turn: the persona's part is the same in all.

External models wait for the first turn that may need them: importing an SDK now would delay the first canned reply.
"""

from __future__ import annotations

from engine.chat.step_runner import names_of
from engine.core.deadline import Deadline
from engine.core.errors import TurnError
from engine.core.plan import Plan, Step
from engine.core.ports import Preparing, Services
from engine.core.turn import Turn
from engine.models.registry import BACKENDS
from engine.steps.generate import compose
from engine.steps.kinds import Scene


def prepare_models(plan: Plan, turn: Turn, services: Services) -> None:
    """Show each local model that wants it the prompt of `turn`; a template that fails only costs the head start."""
    scene = Scene(
        plan=plan, turn=turn, names=names_of(plan, turn), services=services, deadline=Deadline.after(plan.deadline)
    )
    for step in plan.steps:
        for model in _preparing(plan, step, services):
            _prepare(model, step, scene)


def _preparing(plan: Plan, step: Step, services: Services) -> list[Preparing]:
    names = [name for name in step.models if BACKENDS[plan.models[name].backend].engine == "local"]
    models = [services.models[name] for name in names if name in services.models]
    return [model for model in models if model.engine == "local" and isinstance(model, Preparing)]


def _prepare(model: Preparing, step: Step, scene: Scene) -> None:
    try:
        model.prepare(compose(step, scene))
    except TurnError:
        return
