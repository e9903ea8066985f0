"""The composition root: the only place that wires a plan, its models and the session store together.

One `App` serves all invocations of a process. It is the only object that lives between turns, and it holds nothing of
a turn: what a conversation remembers is in the session store.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from engine.chat.fold import run
from engine.chat.models import Models, Wrap
from engine.chat.talk import next_talk
from engine.conversations import open_store
from engine.core.deadline import Clock, Deadline
from engine.core.plan import Plan
from engine.core.ports import LanguageModel, Renderer, Services, SessionState, SessionStore
from engine.core.record import replace
from engine.core.table import Damaged
from engine.core.turn import ChatRequest, ChatResult, Message, Outcome, Talk, Turn
from engine.pipeline.bind import bind
from engine.pipeline.stored.find import find_compiled
from engine.templates.render import TemplateRenderer

if TYPE_CHECKING:
    from pathlib import Path

LOADING = 2.0
"""Seconds that a session store may take to remember, and never more than a quarter of the turn."""
DEFAULT_PIPELINE = "pipelines/snack_misaki.yml"


class App:
    """A loaded pipeline with everything it needs to answer."""

    def __init__(  # noqa: PLR0913 - the parts that are wired together here
        self,
        plan: Plan,
        *,
        models: Mapping[str, LanguageModel],
        sessions: SessionStore,
        clock: Clock = time.monotonic,
        renderer: Renderer | None = None,
        rebuild: Callable[[], Plan] | None = None,
        phases: Mapping[str, float] | None = None,
    ) -> None:
        """A `renderer` that is shared by several apps compiles their templates once.

        `rebuild` makes the plan from its sources, for when the stored one turns out to be damaged; `phases` are the
        seconds that the parts of the start took.
        """
        self.plan = plan
        self._rebuild = rebuild
        self.phases = phases or {}
        self._services = Services(models=models, renderer=renderer or TemplateRenderer())
        self._sessions = sessions
        self._clock = clock
        self.zone = _zone(plan)

    def reply(self, request: ChatRequest, deadline: Deadline | None = None) -> ChatResult:
        """Answer one turn, by the earlier of `deadline` and the pipeline's own."""
        began = self._clock()
        own = Deadline.after(self.plan.deadline, self._clock)
        until = own if deadline is None else own.within(deadline.remaining())
        state = self._remembered(request, until)
        turn = self._turn(request, state)
        outcome = self._run(turn, until.less(min(self._sessions.reserve, until.remaining() / 10)))
        if outcome.reply is not None:
            after = _next_state(state, turn, outcome, outcome.reply)
            self._sessions.save(turn.session_id, after, until.remaining())
        return ChatResult(
            outcome=outcome, session_id=turn.session_id, latency_ms=round((self._clock() - began) * 1000, 3)
        )

    def _remembered(self, request: ChatRequest, until: Deadline) -> SessionState:
        if request.session_id is None:
            return SessionState()
        return self._sessions.load(request.session_id, min(LOADING, until.remaining() / 4))

    def _run(self, turn: Turn, until: Deadline) -> Outcome:
        plan, rebuild = self.plan, self._rebuild
        try:
            return run(plan, turn, self._services, until)
        except Damaged:
            # Another turn may have met the same damage, and have mended it.
            if self.plan is plan:
                if rebuild is None:
                    raise
                self.plan, self._rebuild = rebuild(), None
            return run(self.plan, turn, self._services, until)

    def renew(self, plan: Plan) -> None:
        """Answer by `plan` from the next turn on; its models are those of the old one."""
        self.plan, self.zone, self._rebuild = plan, _zone(plan), None
        self.prepare()

    def prepare(self) -> None:
        """Let models get ready in the background for prompts that begin as this pipeline's do."""
        from engine.chat.prepare import prepare_models  # noqa: PLC0415 - for pipelines with a local model

        prepare_models(self.plan, self._turn(ChatRequest(text=""), SessionState()), self._services)

    def health(self) -> dict[str, Any]:
        """What is loaded and which models are ready, as JSON values; holds no secret.

        The `status` is `degraded` while a circuit breaker is open: a model that is in use does not answer.
        """
        statuses = {name: model.status() for name, model in self._services.models.items()}
        circuits = [status.data.get("circuit") or {} for status in statuses.values()]
        return {
            "status": "ok" if all(one.get("state", "closed") == "closed" for one in circuits) else "degraded",
            "pipeline": self.plan.name,
            "replies": len(self.plan.replies),
            "models": {
                name: {"state": status.state, "detail": status.detail, **status.data}
                for name, status in statuses.items()
            },
            "notices": list(self.plan.notices),
            "start_ms": {name: round(seconds * 1000, 1) for name, seconds in self.phases.items()},
        }

    def close(self) -> None:
        """End worker processes, connections and the session store; the app answers no more."""
        models = self._services.models
        if isinstance(models, Models):
            models.close()
        else:
            for model in models.values():
                model.close()
        self._sessions.close()

    def _turn(self, request: ChatRequest, state: SessionState) -> Turn:
        said = sum(message.role == "user" for message in request.history)
        return Turn(
            text=request.text,
            now=(request.now or datetime.now(self.zone)).astimezone(self.zone),
            session_id=request.session_id or os.urandom(16).hex(),
            number=max(state.turns, said) + 1,
            history=request.history or state.history,
            client=request.client,
            said=state.said,
            talk=_talk(request, state),
        )


def load_app(env: Mapping[str, str], wrap: Wrap = lambda _name, model: model) -> App:
    """Build the app that `env` describes; raises `ConfigError` when the pipeline does not load.

    A local model begins to load here, in a process of its own; the others are opened when they are first needed.
    """
    began = time.monotonic()
    plan, rebuild = _plan(env)
    planned = time.monotonic()
    models = Models(plan, env, wrap)
    has_local = models.start_local()
    sessions = open_store(env.get("SESSION_STORE", "none"))
    phases = {"plan": planned - began, "models_and_sessions": time.monotonic() - planned}
    app = App(plan, models=models, sessions=sessions, rebuild=rebuild, phases=phases)
    if has_local:
        app.prepare()
    return app


def pipeline_path(env: Mapping[str, str]) -> Path:
    """`MISAKI_PIPELINE`, or else `DEFAULT_PIPELINE` in the working directory, or else the shipped one."""
    from pathlib import Path  # noqa: PLC0415 - dear at a cold start, which has an artefact

    return Path(_pipeline(env))


def _pipeline(env: Mapping[str, str]) -> str:
    given = env.get("MISAKI_PIPELINE", "")
    if given:
        return given
    if os.path.isfile(DEFAULT_PIPELINE):  # noqa: PTH113 - as above
        return DEFAULT_PIPELINE
    return os.path.realpath(f"{__file__}/../../{DEFAULT_PIPELINE}")


def _plan(env: Mapping[str, str]) -> tuple[Plan, Callable[[], Plan] | None]:
    """The plan from the artefact where one fits, with how to make it anew; else from the sources."""
    found = find_compiled(_pipeline(env), env)

    def from_sources(note: str) -> Plan:
        from engine.validation.load import load  # noqa: PLC0415 - YAML and its checks, which an artefact has behind it

        plan = load(pipeline_path(env), env)
        return replace(plan, notices=(*plan.notices, note)) if note else plan

    if found.compiled is None:
        return from_sources(found.note), None
    return bind(found.compiled, env), lambda: from_sources(f"`{found.file}` is damaged: `misaki build` makes it anew")


def _zone(plan: Plan) -> ZoneInfo:
    return ZoneInfo.from_file(BytesIO(plan.zone_rules), plan.timezone) if plan.zone_rules else ZoneInfo(plan.timezone)


def _talk(request: ChatRequest, state: SessionState) -> Talk | None:
    """What the session knows of the talk, unless the client's own history ends in other words of hers."""
    hers = [
        next((one.text for one in reversed(each) if one.role == "assistant"), None)
        for each in (request.history, state.history)
    ]
    return state.talk if not request.history or hers[0] == hers[1] else None


def _next_state(state: SessionState, turn: Turn, outcome: Outcome, reply: str) -> SessionState:
    said = dict(state.said)
    if outcome.reply_id is not None and outcome.variant is not None:
        said[outcome.reply_id] = (*said.pop(outcome.reply_id, ()), outcome.variant)
    return SessionState(
        turns=turn.number,
        history=(*turn.history, Message("user", turn.text), Message("assistant", reply)),
        said=said,
        talk=next_talk(turn, outcome),
    )
