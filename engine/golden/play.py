"""Plays golden conversations through the application, as a client with a session would."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from engine.app import App
from engine.conversations import open_store
from engine.core.events import ChatResult, StepEvent, VariablesSet
from engine.core.plan import Plan, Step
from engine.core.record import field_names
from engine.core.turn import ChatRequest
from engine.golden.cassette import Cassette, Recording
from engine.golden.compare import differences
from engine.golden.result import ConversationResult, TurnResult
from engine.golden.stage import Scene, Settings, Stage
from engine.models.secrets import Secrets
from engine.pipeline.schema.golden_spec import Conversation, GoldenFile, TurnSpec
from engine.text.cleaning import clean

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""What time it is in a golden that does not say, by the clock of the persona's zone."""

IN_MEMORY = "memory"
"""A store as in production, so that a golden remembers as much of a conversation, and as little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A conversation's result, and what was recorded on the way."""

    result: ConversationResult
    recorded: tuple[Recording, ...] = ()


def play(golden: GoldenFile, conversation: Conversation, plan: Plan, cassette: Cassette, settings: Settings) -> Played:
    """One conversation from its first turn to its last, whatever fails on the way."""
    if settings.mode == "replay" and _needs_live(conversation):
        skipped = ConversationResult(
            golden=golden, spec=conversation, plan=plan, skipped="a model is asked live: run with --live"
        )
        return Played(result=skipped)
    began = time.monotonic()
    stage = Stage(plan, conversation.name.value, cassette, settings)
    played = _Play(_patient(plan, settings), conversation, stage, settings)
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
        )
        result = _without_secrets(self._app.reply(request), self._settings.secrets)
        return TurnResult(
            spec=spec,
            now=now,
            result=result,
            differences=tuple(differences(spec.expect, result)),
            stale=tuple(self._stage.scene.stale),
        )


def _without_secrets(result: ChatResult, secrets: Secrets) -> ChatResult:
    """What a report may show of `result`."""
    if not secrets:
        return result
    outcome = result.outcome
    completion = outcome.completion
    shown = replace(
        outcome,
        reply=None if outcome.reply is None else secrets.hide(outcome.reply),
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


def _needs_live(conversation: Conversation) -> bool:
    return any(source == "live" for turn in conversation.turns for source in turn.models.values())


def _patient(plan: Plan, settings: Settings) -> Plan:
    if settings.mode == "replay" or settings.patience == 1.0:
        return plan
    return plan_with_patience(plan, settings.patience)


def plan_with_patience(plan: Plan, factor: float) -> Plan:
    """`plan` with all its time limits multiplied."""
    return replace(plan, deadline=plan.deadline * factor, steps=tuple(_longer(step, factor) for step in plan.steps))


def _longer(step: Step, factor: float) -> Step:
    return step if step.timeout is None else replace(step, timeout=step.timeout * factor)
