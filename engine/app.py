"""The composition root: the only place that wires a plan, its models and the session store together.

One `App` serves all invocations of a process. It is the only object that lives between turns, and it holds nothing of
a turn: what a conversation remembers is in the session store.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.backends.registry import open_model
from engine.building.load import load
from engine.model.deadline import Clock, Deadline
from engine.model.plan import GenerateStep, Plan
from engine.model.ports import LanguageModel, Renderer, Services, SessionState, SessionStore
from engine.model.turn import ChatRequest, ChatResult, Message, Outcome, Turn
from engine.prompts.evaluate import never_holds
from engine.prompts.render import TemplateRenderer
from engine.running.breaker import Breaker, BreakerPolicy
from engine.running.fold import run
from engine.running.guarded import GuardedModel
from engine.running.prepare import prepare_models
from engine.running.retry import Retries, RetryBudget, RetryPolicy
from engine.sessions import open_store

DEFAULT_PIPELINE = "pipelines/snack_misaki.yml"
_ROOT = Path(__file__).resolve().parent.parent


class App:
    """A loaded pipeline with everything it needs to answer."""

    def __init__(
        self,
        plan: Plan,
        *,
        models: Mapping[str, LanguageModel],
        sessions: SessionStore,
        clock: Clock = time.monotonic,
        renderer: Renderer | None = None,
    ) -> None:
        """A `renderer` that is shared by several apps compiles their templates once."""
        self.plan = plan
        self._services = Services(models=models, renderer=renderer or TemplateRenderer())
        self._sessions = sessions
        self._clock = clock
        self.zone = ZoneInfo(plan.timezone)

    def reply(self, request: ChatRequest, deadline: Deadline | None = None) -> ChatResult:
        """Answer one turn, by the earlier of `deadline` and the pipeline's own."""
        began = self._clock()
        own = Deadline.after(self.plan.deadline, self._clock)
        until = own if deadline is None else own.within(deadline.remaining())
        state = SessionState() if request.session_id is None else self._sessions.load(request.session_id)
        turn = self._turn(request, state)
        outcome = run(self.plan, turn, self._services, until)
        if outcome.reply is not None:
            self._sessions.save(turn.session_id, _next_state(state, turn, outcome, outcome.reply))
        return ChatResult(
            outcome=outcome, session_id=turn.session_id, latency_ms=round((self._clock() - began) * 1000, 3)
        )

    def prepare(self) -> None:
        """Let models get ready in the background for prompts that begin as this pipeline's do."""
        prepare_models(self.plan, self._turn(ChatRequest(text=""), SessionState()), self._services)

    def health(self) -> dict[str, Any]:
        """What is loaded and which models are ready, as JSON values; holds no secret."""
        statuses = {name: model.status() for name, model in self._services.models.items()}
        return {
            "status": "ok",
            "pipeline": self.plan.name,
            "replies": len(self.plan.replies),
            "models": {
                name: {"state": status.state, "detail": status.detail, **status.data}
                for name, status in statuses.items()
            },
            "notices": list(self.plan.notices),
        }

    def close(self) -> None:
        """End worker processes, connections and the session store; the app answers no more."""
        for model in self._services.models.values():
            model.close()
        self._sessions.close()

    def _turn(self, request: ChatRequest, state: SessionState) -> Turn:
        said = sum(message.role == "user" for message in request.history)
        return Turn(
            text=request.text,
            now=(request.now or datetime.now(self.zone)).astimezone(self.zone),
            session_id=request.session_id or uuid.uuid4().hex,
            number=max(state.turns, said) + 1,
            history=request.history or state.history,
            user=request.user,
            last_said=state.last_said,
        )


Wrap = Callable[[str, LanguageModel], LanguageModel]
"""Puts something around the model of that name."""


def load_app(env: Mapping[str, str], wrap: Wrap = lambda _name, model: model) -> App:
    """Build the app that `env` describes; raises `ConfigError` when the pipeline does not load."""
    plan = load(pipeline_path(env), env)
    models = {name: wrap(name, model) for name, model in _open_models(plan, env).items()}
    app = App(plan, models=models, sessions=open_store(env.get("SESSION_STORE", "none")))
    app.prepare()
    return app


def pipeline_path(env: Mapping[str, str]) -> Path:
    """`MISAKI_PIPELINE`, or else the shipped one: relative to the working directory where it lies below it."""
    given = env.get("MISAKI_PIPELINE", "")
    if given:
        return Path(given)
    shipped = _ROOT / DEFAULT_PIPELINE
    with suppress(ValueError):
        return shipped.relative_to(Path.cwd())
    return shipped


def _open_models(plan: Plan, env: Mapping[str, str]) -> dict[str, LanguageModel]:
    """Each model in use; one that is asked over the network behind its circuit breaker and the retry loop."""
    retries = Retries(policy=RetryPolicy(), budget=RetryBudget())
    models: dict[str, LanguageModel] = {}
    for name in _models_in_use(plan):
        model = open_model(plan.models[name], env)
        if model.engine == "external":
            breaker = Breaker(BreakerPolicy(), time.monotonic)
            model = GuardedModel(model, backend=plan.models[name].backend, breaker=breaker, retries=retries)
        models[name] = model
    return models


def _models_in_use(plan: Plan) -> list[str]:
    """The models that some step may ask; one whose step the environment switches off is not even opened."""
    steps = [step for step in plan.steps if isinstance(step, GenerateStep)]
    return list(dict.fromkeys(name for step in steps if not never_holds(step.when, plan.env) for name in step.models))


def _next_state(state: SessionState, turn: Turn, outcome: Outcome, reply: str) -> SessionState:
    last_said = dict(state.last_said)
    if outcome.reply_id is not None and outcome.variant is not None:
        last_said[outcome.reply_id] = outcome.variant
    return SessionState(
        turns=turn.number,
        history=(*turn.history, Message("user", turn.text), Message("assistant", reply)),
        last_said=last_said,
    )
