"""Listens to a conversation as it is had, and makes a golden of it: what was said, and what each model answered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.app import App
from engine.core.deadline import Deadline
from engine.core.errors import BackendError, Unavailable
from engine.core.events import ChatResult, Event, TurnStarted
from engine.core.plan import Plan
from engine.core.ports import LanguageModel, ModelStatus
from engine.core.turn import ChatRequest, Completion, Engine, Prompt, Visitor
from engine.golden.cassette import Cassette, Recording, request_digests, write_cassette
from engine.golden.stage import completion_fields, error_fields
from engine.golden.writing import DraftConversation, DraftTurn, expectation, golden_text
from engine.models.secrets import Secrets
from engine.pipeline.environment import VARIABLES
from engine.pipeline.schema.golden import SUFFIX, cassette_path

_CLOCK = "%Y-%m-%d %H:%M"


class NotSaved(ValueError):
    """The file cannot be written as a golden; the message says why."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a model did when it was asked."""

    model: str
    prompt: Prompt
    answer: Completion | BackendError


@dataclass(slots=True)
class _Turn:
    user: str
    now: datetime
    visitor: Visitor
    result: ChatResult
    heard: tuple[_Heard, ...]


@dataclass(slots=True)
class Listener:
    """Collects what models say and what becomes of it; `path` is where the golden will be."""

    path: Path
    secrets: Secrets
    _heard: list[_Heard] = field(default_factory=list)
    _sessions: dict[str, list[_Turn]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.path.name.endswith(SUFFIX):
            raise NotSaved(f"`{self.path}` does not end in `{SUFFIX}`, as the names of goldens do")
        if self.path.exists():
            raise NotSaved(f"`{self.path}` exists already: choose another name")

    def wrap(self, name: str, model: LanguageModel) -> LanguageModel:
        """`model`, overheard."""
        return _Overheard(name, model, self._heard)

    def between(self, app: App) -> _Between:
        """Something that answers as `app` does, while this listens."""
        return _Between(app, self)

    def take(self, user: str, now: datetime, visitor: Visitor, result: ChatResult) -> None:
        """Keeps a turn, with what models did since the one before."""
        turn = _Turn(user, now, visitor, result, tuple(self._heard))
        self._heard.clear()
        self._sessions.setdefault(result.session_id, []).append(turn)

    def save(self, plan: Plan, pipeline: Path, env: Mapping[str, str]) -> bool:
        """Writes the golden, and its cassette where models were asked; false where nothing was said."""
        if not self._sessions:
            return False
        named = _variables(env)
        conversations = [
            self._conversation(plan, number, session, turns, named)
            for number, (session, turns) in enumerate(self._sessions.items(), start=1)
        ]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        shown = Path(os.path.relpath(pipeline, self.path.parent)).as_posix()
        self.path.write_text(golden_text(shown, conversations), encoding="utf-8", newline="\n")
        numbered = enumerate(self._sessions.values(), start=1)
        recordings = [one for number, turns in numbered for one in self._recordings(plan, number, turns)]
        cassette = Cassette({recording.key: recording for recording in recordings})
        write_cassette(cassette_path(self.path), cassette, [one.name for one in conversations])
        return True

    def _conversation(
        self, plan: Plan, number: int, session: str, turns: list[_Turn], env: Mapping[str, str]
    ) -> DraftConversation:
        asked = dict.fromkeys(heard.model for turn in turns for heard in turn.heard if not _absent(heard))
        return DraftConversation(
            name=_name(plan, number),
            session=session,
            clock=turns[0].now.strftime(_CLOCK),
            visitor=turns[0].visitor,
            env=env,
            models=dict.fromkeys(asked, "recorded"),
            turns=[self._turn(turn, before) for turn, before in zip(turns, [None, *turns], strict=False)],
        )

    def _turn(self, turn: _Turn, before: _Turn | None) -> DraftTurn:
        moved = before is not None and before.now != turn.now
        expect = expectation(turn.result.outcome)
        if isinstance(expect["reply"], str):
            expect["reply"] = self.secrets.hide(expect["reply"])
        if "remembers" in expect:
            expect["remembers"] = self.secrets.hide_all(expect["remembers"])
        return DraftTurn(user=turn.user, expect=expect, clock=turn.now.strftime(_CLOCK) if moved else None)

    def _recordings(self, plan: Plan, number: int, turns: list[_Turn]) -> list[Recording]:
        return [
            Recording(
                key=(_name(plan, number), place, heard.model),
                request=request_digests(heard.prompt, plan.models[heard.model]),
                user=heard.prompt.text,
                answer=_fields(heard.answer, self.secrets),
            )
            for place, turn in enumerate(turns, start=1)
            for heard in turn.heard
            if not _absent(heard)
        ]


def _name(plan: Plan, number: int) -> str:
    return f"{plan.persona.name} {number}"


def _absent(heard: _Heard) -> bool:
    """Whether the model was not to be had: then the golden leaves it out, which comes to the same."""
    return isinstance(heard.answer, Unavailable)


def _fields(answer: Completion | BackendError, secrets: Secrets) -> dict[str, Any]:
    return error_fields(answer, secrets) if isinstance(answer, BackendError) else completion_fields(answer, secrets)


def _variables(env: Mapping[str, str]) -> dict[str, str]:
    """What the pipeline saw of the environment."""
    return {name: env[name] for name in VARIABLES if env.get(name, "").strip()}


class _Between:
    """Stands between a client and the application, and takes every turn at a time known to the minute."""

    def __init__(self, app: App, listener: Listener) -> None:
        self._app, self._listener = app, listener

    def reply(self, request: ChatRequest, deadline: Deadline | None = None) -> ChatResult:
        now = datetime.now(self._app.zone).replace(second=0, microsecond=0)
        visitors: list[Visitor] = []

        def hear(event: Event) -> None:
            if isinstance(event, TurnStarted):
                visitors.append(event.visitor)

        result = self._app.reply(replace(request, now=now), deadline, hear)
        self._listener.take(request.text, now, visitors[-1] if visitors else Visitor(), result)
        return result


class _Overheard:
    """A `LanguageModel` that tells what it was asked and what it said."""

    def __init__(self, name: str, model: LanguageModel, heard: list[_Heard]) -> None:
        self._name, self._model, self._heard = name, model, heard

    @property
    def engine(self) -> Engine:
        return self._model.engine

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:
        try:
            completion = self._model.generate(prompt, deadline)
        except BackendError as error:
            self._heard.append(_Heard(self._name, prompt, error))
            raise
        self._heard.append(_Heard(self._name, prompt, completion))
        return completion

    def status(self) -> ModelStatus:
        return self._model.status()

    def close(self) -> None:
        self._model.close()
