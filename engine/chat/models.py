"""Opens the models of a plan, each when it is first asked for.

A canned reply asks none of them, and opening even an idle one costs a part of the cold start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from engine.chat.step_runner import names_of
from engine.core.deadline import Deadline
from engine.core.errors import TurnError
from engine.core.plan import ModelRow, Plan
from engine.core.ports import LanguageModel, Preparing, Services
from engine.core.turn import Turn
from engine.expressions.evaluate import never_holds
from engine.models.registry import BACKENDS, open_model
from engine.steps.kinds import Scene

Guard = Callable[[LanguageModel, str], LanguageModel]
Wrap = Callable[[str, LanguageModel], LanguageModel]
"""Puts something around the model of that name."""


def rows_of(plan: Plan) -> dict[str, ModelRow]:
    """The models that some step may ask; one whose step the environment switches off is not among them."""
    names = [name for step in plan.steps if not never_holds(step.when, plan.env) for name in step.models]
    return {name: plan.models[name] for name in names}


class Models(Mapping[str, LanguageModel]):
    """The models of `rows_of` a plan."""

    def __init__(self, plan: Plan, env: Mapping[str, str], wrap: Wrap = lambda _, model: model) -> None:
        self._rows = rows_of(plan)
        self._env = env
        self._wrap = wrap
        self._opened: dict[str, LanguageModel] = {}
        self._guard: Guard | None = None

    def __getitem__(self, name: str) -> LanguageModel:
        if name not in self._opened:
            # Opening connects to nothing, so a model that another thread opened meanwhile is as good as ours.
            self._opened.setdefault(name, self._open(name, self._rows[name]))
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def start_local(self) -> bool:
        """Open those that run on this machine, which load in the background; whether there are any."""
        local = [name for name, row in self._rows.items() if BACKENDS[row.backend].engine == "local"]
        return bool([self[name] for name in local])

    def close(self) -> None:
        # A list, since a turn that is not over yet may open another.
        for model in list(self._opened.values()):
            model.close()

    def _open(self, name: str, row: ModelRow) -> LanguageModel:
        """Opens a model; one that is asked over the network stands behind its circuit breaker and the retry loop."""
        model = open_model(row, self._env)
        if model.engine == "external":
            from engine.resilience.guarded import make_guard

            self._guard = self._guard or make_guard()
            model = self._guard(model, row.backend)
        return self._wrap(name, model)


def prepare_models(plan: Plan, turn: Turn, services: Services) -> None:
    """Tell each local model that wants it how its prompts will begin: the persona's part is the same in all.

    External models wait for the first turn that may need them: importing an SDK now would delay the first canned reply.
    A template that fails only costs the head start.
    """
    from engine.steps.prompt import compose  # noqa: PLC0415  a canned reply needs none

    scene = Scene(
        plan=plan, turn=turn, names=names_of(plan, turn), services=services, deadline=Deadline.after(plan.deadline)
    )
    for step in plan.steps:
        names = [name for name in step.models if BACKENDS[plan.models[name].backend].engine == "local"]
        for model in (services.models[name] for name in names if name in services.models):
            if model.engine == "local" and isinstance(model, Preparing):
                with suppress(TurnError):
                    model.prepare(compose(step, scene))
