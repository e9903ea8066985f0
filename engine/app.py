"""Wires a plan, its models and the store of rooms together; no other module does.

One `App` serves all invocations of a process. It is the only object that lives between turns, and it holds nothing of
a turn: what a conversation remembers is in the store of rooms.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from engine.chat.models import Models, Wrap, prepare_models
from engine.chat.service import ChatService
from engine.chat.talk import next_turn
from engine.conversations import open_store
from engine.core.deadline import Clock, Deadline
from engine.core.events import ChatResult, Event, Listen, ignore
from engine.core.plan import Plan
from engine.core.ports import LanguageModel, Limiter, Renderer, RoomStore, Services
from engine.core.record import replace
from engine.core.rooms import Opened
from engine.core.table import Damaged
from engine.core.turn import ChatRequest, Principal
from engine.pipeline.bind import bind
from engine.pipeline.stored.find import find_compiled
from engine.templates import TemplateRenderer

if TYPE_CHECKING:
    from engine.conversations.records import Store
    from engine.usage import Prices

DEFAULT_PIPELINE = "pipelines/snack_misaki.yml"


class App:
    """A loaded pipeline with everything it needs to answer."""

    def __init__(  # noqa: PLR0913 - the parts that are wired together here
        self,
        plan: Plan,
        *,
        models: Mapping[str, LanguageModel],
        rooms: Store,
        clock: Clock = time.monotonic,
        renderer: Renderer | None = None,
        rebuild: Callable[[], Plan] | None = None,
        phases: Mapping[str, float] | None = None,
        prices: Prices | None = None,
    ) -> None:
        """A `renderer` that is shared by several apps compiles their templates once.

        `rebuild` makes the plan from its sources, for when the stored one turns out to be damaged; `phases` are the
        seconds that the parts of the start took. The pipeline's limits hold where there are `prices`.
        """
        self.phases = phases or {}
        self._services = Services(models=models, renderer=renderer or TemplateRenderer())
        self.rooms = rooms
        self._prices = prices
        self._clock = clock
        self._listeners: list[Listen] = []
        self._use(plan)
        self._rebuild = rebuild

    def reply(
        self,
        request: ChatRequest,
        deadline: Deadline | None = None,
        listen: Listen = ignore,
        rooms: RoomStore | None = None,
    ) -> ChatResult:
        """Answer one turn, by the earlier of `deadline` and the pipeline's own; `listen` hears what happens in it.

        A turn with `rooms` of its own is kept there, and the app's rooms know nothing of it.
        """
        listeners = (*self._listeners, listen)

        def tell(event: Event) -> None:
            for hear in listeners:
                hear(event)

        service = self._service
        try:
            return _in(service, rooms).reply(request, deadline, tell)
        except Damaged:
            # Another turn may have met the same damage, and have mended it.
            if self._service is service:
                if self._rebuild is None:
                    raise
                self._use(self._rebuild())
            return _in(self._service, rooms).reply(request, deadline, tell)

    def add_listener(self, listen: Listen) -> None:
        """Let `listen` hear all turns from now on."""
        self._listeners.append(listen)

    def _use(self, plan: Plan) -> None:
        rules, name = plan.zone_rules, plan.timezone
        self.plan, self._rebuild = plan, None
        self.zone = ZoneInfo.from_file(BytesIO(rules), name) if rules else ZoneInfo(name)
        self._service = ChatService(
            plan=plan,
            zone=self.zone,
            services=self._services,
            rooms=self.rooms,
            clock=self._clock,
            limiter=self._limiter(plan),
        )

    def _limiter(self, plan: Plan) -> Limiter | None:
        if plan.limits is None or self._prices is None:
            return None
        from engine.conversations.allowance import Allowance
        from engine.conversations.counters import Counters

        return Allowance(
            plan=plan, limits=plan.limits, counters=Counters(self.rooms), prices=self._prices, zone=self.zone
        )

    def renew(self, plan: Plan) -> None:
        """Answer by `plan` from the next turn on; its models are those of the old one."""
        self._use(plan)
        self.prepare()

    def prepare(self) -> None:
        """Let models get ready in the background for prompts that begin as this pipeline's do."""
        prepare_models(self.plan, next_turn(ChatRequest(text=""), Opened(room=""), self.zone, {}), self._services)

    def health(self) -> dict[str, Any]:
        """Reports the loaded pipeline and the state of its models as JSON values, without secrets.

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

    def left(self, principal: Principal, until: Deadline) -> Mapping[str, Any] | None:
        """What a user has left of the pipeline's limits today, where it has some; raises `StoreFailed`."""
        limiter = self._service.limiter
        return None if limiter is None else limiter.left(principal, until)

    def masked(self, text: str) -> str:
        """`text` as the pipeline lets models outside and logs see it."""
        if not self.plan.mask:
            return text
        from engine.guardrails.placeholders import masked

        return masked(text, self.plan.mask)

    def close(self) -> None:
        """End worker processes, connections and the store of rooms; the app answers no more."""
        models = self._services.models
        if isinstance(models, Models):
            models.close()
        else:
            for model in models.values():
                model.close()
        self.rooms.close()


def _in(service: ChatService, rooms: RoomStore | None) -> ChatService:
    return service if rooms is None else replace(service, rooms=rooms)


def load_app(env: Mapping[str, str], wrap: Wrap = lambda _name, model: model) -> App:
    """Build the app that `env` describes; raises `ConfigError` when the pipeline does not load.

    A local model begins to load here, in a process of its own; the others are opened when they are first needed.
    """
    began = time.monotonic()
    plan, rebuild = _plan(env)
    planned = time.monotonic()
    models = Models(plan, env, wrap)
    has_local = models.start_local()
    rooms = open_store(env.get("SESSION_STORE", "none"))
    phases = {"plan": planned - began, "models_and_sessions": time.monotonic() - planned}
    plan, prices = _priced(plan, env, rooms.detail)
    app = App(plan, models=models, rooms=rooms, rebuild=rebuild, phases=phases, prices=prices)
    if has_local:
        app.prepare()
    return app


def _priced(plan: Plan, env: Mapping[str, str], store: str) -> tuple[Plan, Prices | None]:
    """The prices of models, and notices of what limits lack; `None` where there are no limits."""
    if plan.limits is None:
        return plan, None
    from engine.usage import known_prices, missing

    prices, problem = known_prices(plan, env)
    notices = [*plan.notices, problem] if problem else list(plan.notices)
    if store.startswith("none"):
        notices.append("SESSION_STORE keeps nothing, so `limits` count in this process alone, until it ends")
    return replace(plan, notices=(*notices, *missing(plan, prices))), prices


def pipeline_file(env: Mapping[str, str]) -> str:
    """`MISAKI_PIPELINE`, or else `DEFAULT_PIPELINE` in the working directory, or else the shipped one."""
    given = env.get("MISAKI_PIPELINE", "")
    if given:
        return given
    if os.path.isfile(DEFAULT_PIPELINE):
        return DEFAULT_PIPELINE
    return os.path.realpath(f"{__file__}/../../{DEFAULT_PIPELINE}")


def _plan(env: Mapping[str, str]) -> tuple[Plan, Callable[[], Plan] | None]:
    """The plan from the artefact where one fits, with how to make it anew; else from the sources."""
    found = find_compiled(pipeline_file(env), env)

    def from_sources(note: str) -> Plan:
        from engine.validation.load import load

        plan = load(pipeline_file(env), env)
        return replace(plan, notices=(*plan.notices, note)) if note else plan

    if found.compiled is None:
        return from_sources(found.note), None
    return bind(found.compiled, env), lambda: from_sources(f"`{found.file}` is damaged: `misaki build` makes it anew")
