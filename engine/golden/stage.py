"""Stands in for the models of a golden conversation: each asks the stage, which knows where its words come from.

Nobody waits for scripted words: the stage's clock runs on by the seconds that they take.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.core.deadline import Deadline
from engine.core.errors import BackendError, Unavailable
from engine.core.language import phrase
from engine.core.plan import ModelRow, Plan
from engine.core.ports import LanguageModel, ModelStatus, Renderer
from engine.core.turn import Completion, Engine, Prompt
from engine.golden.cassette import Cassette, Recording, changed_parts, request_digests
from engine.models.registry import BACKENDS
from engine.models.scripted import ERRORS, Answer, ScriptedModel
from engine.models.secrets import Secrets
from engine.pipeline.schema.golden import Fails, ModelSource, Says
from engine.templates import TemplateRenderer

Mode = Literal["replay", "record", "live"]
"""`replay` asks no model, `record` asks those whose words are recorded, `live` asks the same and keeps nothing."""

OpenModel = Callable[[ModelRow], LanguageModel]


def _nothing_live(row: ModelRow) -> LanguageModel:
    raise Unavailable(phrase("no model is asked live here"), backend=row.backend)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How goldens are played; `patience` multiplies the time limits when real models are asked.

    The `renderer` is shared by all conversations, so that a template is compiled once.
    """

    mode: Mode = "replay"
    patience: float = 1.0
    secrets: Secrets = field(default_factory=lambda: Secrets({}))
    open_model: OpenModel = _nothing_live
    renderer: Renderer = field(default_factory=TemplateRenderer)


class StageClock:
    """The seconds that scripted answers take; real ones are added only where real models are asked, so that a golden
    passes on a slow machine too.
    """

    def __init__(self, *, runs: bool) -> None:
        self._added = 0.0
        self._runs = runs

    def __call__(self) -> float:
        return self._added + (time.monotonic() if self._runs else 0.0)

    def forward(self, seconds: float) -> None:
        self._added += seconds


@dataclass(frozen=True, slots=True)
class Stale:
    """A recorded answer that does not belong to the request, and what to do; no `changed` parts where there is no
    recording. `absent` says why the model could not be asked for one.
    """

    model: str
    changed: tuple[str, ...] = ()
    absent: str = ""

    def __str__(self) -> str:
        if self.absent:
            return phrase("`{model}` could not be asked: {reason}", model=self.model, reason=self.absent)
        if not self.changed:
            return phrase("`{model}` has no recorded answer for this turn; record it with --record", model=self.model)
        changed = ", ".join(self.changed)
        return phrase(
            "the request to `{model}` changed since it was recorded: {parts}; record it with --record",
            model=self.model,
            parts=changed,
        )


@dataclass(slots=True)
class Scene:
    """The models' part in one turn: where their words come from, and which were stale."""

    number: int = 0
    sources: Mapping[str, ModelSource] = field(default_factory=dict)
    stale: list[Stale] = field(default_factory=list)


class Stage:
    """The models of one conversation; `recorded` collects what is recorded."""

    def __init__(self, plan: Plan, conversation: str, cassette: Cassette, settings: Settings) -> None:
        self.clock = StageClock(runs=settings.mode != "replay")
        self.scene = Scene()
        self.recorded: list[Recording] = []
        self.models: Mapping[str, LanguageModel] = {
            name: StagedModel(name, row, self) for name, row in plan.models.items()
        }
        self._conversation = conversation
        self._cassette = cassette
        self._settings = settings

    def source(self, name: str) -> ModelSource:
        return self.scene.sources.get(name, "unavailable")

    def answer(self, row: ModelRow, prompt: Prompt, deadline: Deadline) -> Completion:
        """Answers `prompt` for the model `row`; raises `BackendError` as the model would."""
        match self.source(row.id):
            case Says() | Fails() as scripted:
                return self._play(_scripted(scripted, row.id), row, prompt, deadline)
            case "recorded":
                replays = self._settings.mode == "replay"
                return self._replay(row, prompt, deadline) if replays else self._ask(row, prompt, deadline)
            case "live":
                return self._settings.open_model(row).generate(prompt, deadline)
            case _:
                raise Unavailable(phrase("the golden gives `{model}` no words", model=row.id), backend=row.backend)

    def _play(self, answer: Answer, row: ModelRow, prompt: Prompt, deadline: Deadline) -> Completion:
        engine = BACKENDS[row.backend].engine
        return ScriptedModel([answer], engine=engine, spend=self.clock.forward).generate(prompt, deadline)

    def _replay(self, row: ModelRow, prompt: Prompt, deadline: Deadline) -> Completion:
        recording = self._cassette.get((self._conversation, self.scene.number, row.id))
        if recording is None:
            self.scene.stale.append(Stale(row.id))
            raise Unavailable(phrase("no answer is recorded"), backend=row.backend)
        changed = changed_parts(recording, request_digests(prompt, row))
        if changed:
            self.scene.stale.append(Stale(row.id, changed))
        return self._play(_recorded(recording.answer), row, prompt, deadline)

    def _ask(self, row: ModelRow, prompt: Prompt, deadline: Deadline) -> Completion:
        model = self._settings.open_model(row)
        try:
            completion = model.generate(prompt, deadline)
        except Unavailable as error:
            # What is not to be had on this machine is no answer of the model's.
            self.scene.stale.append(Stale(row.id, absent=self._settings.secrets.hide(str(error))))
            raise
        except BackendError as error:
            self._keep(row, prompt, error_fields(error, self._settings.secrets))
            raise
        self._keep(row, prompt, completion_fields(completion, self._settings.secrets))
        return completion

    def _keep(self, row: ModelRow, prompt: Prompt, answer: Mapping[str, Any]) -> None:
        if self._settings.mode == "record":
            key = (self._conversation, self.scene.number, row.id)
            self.recorded.append(
                Recording(key=key, request=request_digests(prompt, row), user=prompt.text, answer=answer)
            )


class StagedModel:
    """A `LanguageModel` that asks its stage for every answer."""

    def __init__(self, name: str, row: ModelRow, stage: Stage) -> None:
        self._name, self._row, self._stage = name, row, stage

    @property
    def engine(self) -> Engine:
        return BACKENDS[self._row.backend].engine

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:
        return self._stage.answer(self._row, prompt, deadline)

    def status(self) -> ModelStatus:
        source = self._stage.source(self._name)
        return ModelStatus(state="unavailable" if source == "unavailable" else "ready")

    def close(self) -> None:
        """Models that were opened for the stage are closed by whoever opened them."""


def _scripted(source: Says | Fails, model: str) -> Answer:
    if isinstance(source, Fails):
        error = ERRORS[source.error](source.message, backend="scripted")
        return Answer(result=error, seconds=source.seconds)
    completion = Completion(
        text=source.text,
        finish_reason=source.finish_reason,
        model=model,
        completion_tokens=source.tokens,
        confidence=source.confidence,
        seconds=source.seconds,
    )
    return Answer(result=completion, seconds=source.seconds)


def _recorded(fields: Mapping[str, Any]) -> Answer:
    """Reads an answer back; it takes no time, as the time it took belongs to the machine that recorded it."""
    if "error" in fields:
        kind = ERRORS.get(str(fields["error"]), BackendError)
        return Answer(result=kind(str(fields.get("message", "")), backend="recorded"))
    return Answer(
        result=Completion(
            text=str(fields.get("answer", "")),
            finish_reason=fields.get("finish_reason", "stop"),
            model=str(fields.get("file", "")),
            prompt_tokens=fields.get("prompt_tokens"),
            completion_tokens=fields.get("tokens"),
            confidence=fields.get("confidence"),
            seconds=float(fields.get("seconds", 0.0)),
        )
    )


def completion_fields(completion: Completion, secrets: Secrets) -> dict[str, Any]:
    """Lists the fields of an answer that a cassette keeps."""
    fields = {
        "answer": secrets.hide(completion.text),
        "finish_reason": completion.finish_reason,
        "file": secrets.hide(completion.model),
        "prompt_tokens": completion.prompt_tokens,
        "tokens": completion.completion_tokens,
        "confidence": None if completion.confidence is None else round(completion.confidence, 6),
        "seconds": round(completion.seconds, 2),
    }
    return {name: value for name, value in fields.items() if value is not None}


def error_fields(error: BackendError, secrets: Secrets) -> dict[str, Any]:
    """Lists the fields of a failure that a cassette keeps."""
    name = next((name for name, kind in ERRORS.items() if type(error) is kind), "BackendError")
    return {"error": name, "message": secrets.hide(str(error))}
