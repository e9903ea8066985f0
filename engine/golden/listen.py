"""Listens to a conversation as it is had, and makes a golden of it: what was said, and what each model answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from engine.app import App
from engine.core.deadline import Deadline
from engine.core.errors import BackendError, Unavailable
from engine.core.events import ChatResult, Event, Listen, TurnStarted
from engine.core.language import phrase
from engine.core.plan import ModelRow, Plan
from engine.core.ports import LanguageModel, ModelStatus
from engine.core.turn import ChatRequest, Completion, Engine, Prompt, Visitor
from engine.golden.cassette import Key, Recording, request_digests, write_cassette
from engine.golden.stage import completion_fields, error_fields
from engine.golden.writing import WrittenTurn, conversation_text, expectation, golden_text, visitor_fields
from engine.models.secrets import Secrets
from engine.pipeline.environment import VARIABLES
from engine.pipeline.schema.golden import SUFFIX, cassette_path

Reply = Callable[[ChatRequest, Listen], ChatResult]


class NotSaved(ValueError):
    """The file cannot be written as a golden; the message says why."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """A model's answer, or its failure, with the prompt that it was given."""

    model: str
    prompt: Prompt
    answer: Completion | BackendError

    @property
    def counts(self) -> bool:
        """False where the model was not there: then the golden leaves it out, which comes to the same."""
        return not isinstance(self.answer, Unavailable)


@dataclass(slots=True)
class _Turn:
    user: str
    clock: str
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
            raise NotSaved(
                phrase("`{path}` does not end in `{ending}`, as the names of goldens do", path=self.path, ending=SUFFIX)
            )
        if self.path.exists():
            raise NotSaved(phrase("`{path}` exists already: choose another name", path=self.path))

    def wrap(self, name: str, model: LanguageModel) -> LanguageModel:
        """`model`, overheard."""
        return _Overheard(name, model, self._heard)

    def between(self, app: App) -> Reply:
        """Makes a function that answers as `app` does, at a time known to the minute, while this listens."""

        def reply(request: ChatRequest, listen: Listen) -> ChatResult:
            now = datetime.now(app.zone).replace(second=0, microsecond=0)
            visitors = [Visitor()]

            def hear(event: Event) -> None:
                if isinstance(event, TurnStarted):
                    visitors.append(event.visitor)
                listen(event)

            result = app.reply(replace(request, now=now), listen=hear)
            turn = _Turn(request.text, now.strftime("%Y-%m-%d %H:%M"), visitors[-1], result, tuple(self._heard))
            self._heard.clear()
            self._sessions.setdefault(result.session_id, []).append(turn)
            return result

        return reply

    def save(self, plan: Plan, pipeline: Path, env: Mapping[str, str]) -> bool:
        """Writes the golden, and its cassette where models were asked; false where nothing was said."""
        if not self._sessions:
            return False
        seen = {name: env[name] for name in VARIABLES if env.get(name, "").strip()}
        conversations: dict[str, str] = {}
        recordings: dict[Key, Recording] = {}
        for number, (session, turns) in enumerate(self._sessions.items(), start=1):
            name = f"{plan.persona.name} {number}"
            models = {heard.model: "recorded" for turn in turns for heard in turn.heard if heard.counts}
            written = [
                WrittenTurn(user=turn.user, clock=turn.clock, expect=expectation(turn.result.outcome, self.secrets))
                for turn in turns
            ]
            above = {**visitor_fields(turns[0].visitor), "env": seen, "models": models}
            conversations[name] = conversation_text(name, session, written, above)
            recordings |= {one.key: one for one in self._recordings(name, turns, plan.models)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = golden_text(pipeline, self.path, conversations.values())
        self.path.write_text(text, encoding="utf-8", newline="\n")
        write_cassette(cassette_path(self.path), recordings, conversations)
        return True

    def _recordings(self, name: str, turns: Sequence[_Turn], rows: Mapping[str, ModelRow]) -> list[Recording]:
        return [
            Recording(
                key=(name, place, heard.model),
                request=request_digests(heard.prompt, rows[heard.model]),
                user=heard.prompt.text,
                answer=error_fields(heard.answer, self.secrets)
                if isinstance(heard.answer, BackendError)
                else completion_fields(heard.answer, self.secrets),
            )
            for place, turn in enumerate(turns, start=1)
            for heard in turn.heard
            if heard.counts
        ]


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
