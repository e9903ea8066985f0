"""Small plans, turns and models for unit tests: real engine parts, with words that are easy to follow."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.core.deadline import Deadline
from engine.core.errors import BackendError
from engine.core.expression import Template
from engine.core.plan import ModelRow, Persona, Plan, Reply, Step, Variant
from engine.core.ports import LanguageModel, ModelStatus, Services
from engine.core.source import Span
from engine.core.spoken import SpokenTexts
from engine.core.turn import Completion, Engine, Exchange, Labels, Piece, Prompt, Turn
from engine.expressions.parse import parse_condition
from engine.expressions.scope import condition_scope, detector_scope
from engine.matching.index import TriggerIndex
from engine.matching.trigger import Trigger
from engine.templates import TemplateRenderer
from engine.templates.grammar import is_constant

SPAN = Span(file="pipeline.yml", line=1, column=1, end_line=1, end_column=2)
SCOPE = detector_scope(condition_scope({"USE_LOCAL_LLM"}, {"lang"}, memory=["name", "bottle"]))


def template(source: str) -> Template:
    return Template(source=source, origin="pipeline.yml:1:1", constant=is_constant(source))


def condition(source: str | None):
    return None if source is None else parse_condition(source, SCOPE)


def reply(name: str, *say: str | tuple[str, float], when: str | None = None, priority: int = 0) -> Reply:
    variants = tuple(
        Variant(text=template(text), weight=weight)
        for text, weight in (entry if isinstance(entry, tuple) else (entry, 1.0) for entry in say)
    )
    return Reply(id=name, when=condition(when), priority=priority, say=variants, span=SPAN)


def replies_step(name: str = "canned", threshold: float = 80.0, when: str | None = None) -> Step:
    return Step(id=name, kind="replies", when=condition(when), searches=True, threshold=threshold, span=SPAN)


def say_step(place: int, name: str = "sorry", when: str | None = None) -> Step:
    return Step(id=name, kind="say", when=condition(when), replies=(place,), span=SPAN)


def generate_step(name: str, *models: str, **more: Any) -> Step:
    settings: dict[str, Any] = {"prompt": template("あなたは{{ persona.name }}。"), **more}
    settings["when"] = condition(settings.get("when"))
    return Step(id=name, kind="generate", models=models, span=SPAN, **settings)


def set_step(name: str, **values: str) -> Step:
    expressions = tuple((key, parse_condition(source, SCOPE)) for key, source in values.items())
    return Step(id=name, kind="set", when=None, values=expressions, span=SPAN)


def plan(
    *steps: Step, replies: Mapping[Reply, tuple[str, ...]] | None = None, env: Mapping[str, Any] | None = None
) -> Plan:
    """`replies` maps each reply to its fuzzy triggers."""
    said = list(replies or {})
    triggers = [
        Trigger(kind="fuzzy", text=text, reply=place, priority=one.priority)
        for place, (one, texts) in enumerate((replies or {}).items())
        for text in texts
    ]
    models = {name for step in steps for name in step.models}
    return Plan(
        name="test",
        locale="ja",
        timezone="Asia/Tokyo",
        deadline=7.5,
        persona=Persona(
            name="美砂樹", labels=Labels("客", "美砂樹"), examples=(Exchange("やあ", "あら"),), data={"name": "美砂樹"}
        ),
        env=env or {"USE_LOCAL_LLM": True},
        replies=tuple(said),
        index=TriggerIndex.build(triggers),
        spoken=SpokenTexts.of(said),
        models={name: ModelRow(id=name, backend="scripted", settings={}) for name in models},
        steps=steps,
    )


def turn(text: str, **more: Any) -> Turn:
    settings: dict[str, Any] = {"now": datetime(2026, 11, 20, 19, 30, tzinfo=UTC), "session_id": "s1", **more}
    return Turn(text=text, **settings)


class FakeModel:
    """A `LanguageModel` that gives one answer, or raises one error, and remembers what it was asked."""

    def __init__(
        self,
        answer: str | Completion | BackendError,
        *,
        engine: Engine = "external",
        available: bool = True,
        on_call: Callable[[], None] = lambda: None,
        circuit: str = "closed",
    ) -> None:
        self.engine: Engine = engine
        self.asked: list[tuple[Prompt, float]] = []
        self._answer = answer
        self._available = available
        self._on_call = on_call
        self._circuit = circuit

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:
        self.asked.append((prompt, deadline.remaining()))
        self._on_call()
        if isinstance(self._answer, BackendError):
            raise self._answer
        if isinstance(self._answer, Completion):
            return self._answer
        return Completion(text=self._answer, finish_reason="stop", model="fake", completion_tokens=5)

    def status(self) -> ModelStatus:
        state = {"circuit": {"state": self._circuit}}
        return ModelStatus(state="ready" if self._available else "unavailable", data=state)

    def close(self) -> None:
        pass


def services(**models: LanguageModel) -> Services:
    return Services(models=models, renderer=TemplateRenderer())


class StreamingModel(FakeModel):
    """Gives `pieces`, running what is callable among them and raising what is an error; then its answer, all of them.

    `until` are the deadlines by which it was asked, `closed` counts the streams that were ended, whole or not.
    """

    def __init__(self, *pieces: str | Piece | BackendError | Callable[[], None], engine: Engine = "external") -> None:
        super().__init__("".join(map(_words_of, pieces)), engine=engine)
        self.until: list[Deadline] = []
        self.closed = 0
        self._pieces = pieces

    def stream(self, prompt: Prompt, deadline: Deadline) -> Generator[Piece, None, Completion]:
        self.until.append(deadline)
        try:
            for piece in self._pieces:
                if isinstance(piece, BackendError):
                    raise piece
                if isinstance(piece, str | Piece):
                    yield Piece(text=piece) if isinstance(piece, str) else piece
                else:
                    piece()
            return self.generate(prompt, deadline)
        finally:
            self.closed += 1


def _words_of(piece: object) -> str:
    return piece.text if isinstance(piece, Piece) else piece if isinstance(piece, str) else ""
