"""Plays golden conversations through the application, as a client with a session would."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from engine.app import App
from engine.conversations import open_store
from engine.core.events import ChatResult, Event, StepEvent, TurnStarted, VariablesSet
from engine.core.language import phrase
from engine.core.plan import Plan
from engine.core.record import field_names
from engine.core.rooms import Learned, Visits
from engine.core.turn import ChatRequest, Principal
from engine.golden.cassette import Cassette, Recording
from engine.golden.compare import differences
from engine.golden.result import ConversationResult, TurnResult, known_after
from engine.golden.stage import Scene, Settings, Stage
from engine.models.secrets import Secrets
from engine.pipeline.schema.golden import Conversation, GoldenFile, TurnSpec
from engine.text.cleaning import clean

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""What time it is in a golden that does not say, by the clock of the persona's zone."""

IN_MEMORY = "memory"
"""A store as in production, so that a golden remembers as much of a conversation, and as little."""


DAY = 24 * 3600.0
_PATIENCE = 1.0
"""Seconds for a store in this process, which does not hang."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A conversation's result, and what was recorded on the way."""

    result: ConversationResult
    recorded: tuple[Recording, ...] = ()


def play(golden: GoldenFile, conversation: Conversation, plan: Plan, cassette: Cassette, settings: Settings) -> Played:
    """Plays one conversation from its first turn to its last, whatever fails on the way."""
    replays = settings.mode == "replay"
    if replays and any(source == "live" for turn in conversation.turns for source in turn.models.values()):
        why = phrase("a model is asked live: run with --live")
        return Played(result=ConversationResult(golden=golden, spec=conversation, plan=plan, skipped=why))
    began = time.monotonic()
    stage = Stage(plan, conversation.name.value, cassette, settings)
    played = _Play(plan if replays else _patient(plan, settings.patience), conversation, stage, settings)
    try:
        turns = tuple(played.turn(spec) for spec in conversation.turns)
    finally:
        played.close()
    result = ConversationResult(
        golden=golden, spec=conversation, plan=plan, turns=turns, seconds=time.monotonic() - began
    )
    return Played(result=result, recorded=tuple(stage.recorded))


class _Play:
    """The state of one conversation while it is played."""

    def __init__(self, plan: Plan, conversation: Conversation, stage: Stage, settings: Settings) -> None:
        self._settings = settings
        self._plan = plan
        self._conversation = conversation
        self._stage = stage
        self._app = App(
            plan, models=stage.models, rooms=open_store(IN_MEMORY), clock=stage.clock, renderer=settings.renderer
        )
        self._zone = ZoneInfo(plan.timezone)
        self._visitor = conversation.visitor
        kind: Literal["user", "anonymous"] = "user" if self._visitor.signed_in else "anonymous"
        self._principal = Principal(kind=kind, id="golden", name=self._visitor.name)
        self._introduce((conversation.turns[0].clock or NOON).replace(tzinfo=self._zone))

    def _introduce(self, now: datetime) -> None:
        """Let the store know what the golden says of the visitor, who learned nothing since the last visit."""
        who = self._visitor
        if not who.memory and who.visits == 1 and who.days_away is None:
            return
        seen = now.timestamp() - (who.days_away or 0.0) * DAY
        number = who.visits if who.days_away is None else who.visits - 1
        memory = {name: Learned(value, seen) for name, value in who.memory.items()}
        visits = Visits(number=number, seen=seen)
        room = self._conversation.session
        self._app.rooms.on_rooms(lambda rooms: rooms.introduce(self._principal, room, memory, visits), _PATIENCE)

    def close(self) -> None:
        self._app.close()

    def turn(self, spec: TurnSpec) -> TurnResult:
        self._stage.scene = Scene(number=spec.number, sources=spec.models)
        now = (spec.clock or NOON).replace(tzinfo=self._zone)
        request = ChatRequest(
            text=clean(spec.user.value),
            history=self._conversation.history if spec.number == 1 else (),
            session_id=self._conversation.session,
            client=self._conversation.attributes,
            now=now,
            principal=self._principal,
        )
        result = _without_secrets(self._app.reply(request, listen=self._hear), self._settings.secrets)
        memory = known_after(self._visitor.memory, result.outcome)
        return TurnResult(
            spec=spec,
            now=now,
            result=result,
            visitor=self._visitor,
            differences=tuple(differences(spec.expect, result, memory)),
            stale=tuple(self._stage.scene.stale),
        )

    def _hear(self, event: Event) -> None:
        if isinstance(event, TurnStarted):
            self._visitor = event.visitor


def _without_secrets(result: ChatResult, secrets: Secrets) -> ChatResult:
    """Hides secrets in `result`, so that a report may show it."""
    if not secrets:
        return result
    outcome = result.outcome
    completion = outcome.completion
    shown = replace(
        outcome,
        reply=None if outcome.reply is None else secrets.hide(outcome.reply),
        remembered=secrets.hide_all(outcome.remembered),
        completion=None if completion is None else replace(completion, text=secrets.hide(completion.text)),
        escalations=tuple(replace(one, detail=secrets.hide(one.detail)) for one in outcome.escalations),
        trace=tuple(_hidden(event, secrets) for event in outcome.trace),
    )
    return replace(result, outcome=shown)


def _hidden(event: StepEvent, secrets: Secrets) -> StepEvent:
    fields = {name: getattr(event, name) for name in field_names(type(event))}
    if isinstance(event, VariablesSet):
        fields["values"] = secrets.hide_all(event.values)
    return type(event)(**secrets.hide_all(fields))


def _patient(plan: Plan, factor: float) -> Plan:
    """`plan` with all its time limits multiplied."""
    steps = (one if one.timeout is None else replace(one, timeout=one.timeout * factor) for one in plan.steps)
    return replace(plan, deadline=plan.deadline * factor, steps=tuple(steps))
