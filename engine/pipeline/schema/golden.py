"""Loads a golden file as a typed spec with its places, or tells everything that is wrong with its form.

Nothing here is resolved against the pipeline.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Union, cast

from engine.core.language import phrase
from engine.core.node import MappingNode, Node, ScalarNode, entries, plain, seconds
from engine.core.source import Problem, Span, Text
from engine.core.turn import FinishReason, Message, Visitor
from engine.pipeline.reading.compose import read_file
from engine.pipeline.schema.shape import check_shape

SUFFIX = ".golden.yml"
DEFAULT_SESSION = "golden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """Words that stand in the file; `seconds` is how long the model takes to say them."""

    text: str
    finish_reason: FinishReason = "stop"
    tokens: int | None = None
    confidence: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fails:
    """A failure that stands in the file; `error` is a name that the scripted backend knows."""

    error: str
    message: str
    seconds: float = 0.0


Place = Literal["recorded", "live", "unavailable"]
ModelSource = Union[Place, Says, Fails]
"""Where a model's words come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One thing to check: `key` names it, `value` is what must be, in plain values; `node` is where that stands."""

    key: str
    value: Any
    node: Node

    @property
    def span(self) -> Span:
        return self.node.span


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSpec:
    """`number` counts from 1 in its conversation; `clock` holds no time zone, it is the persona's."""

    number: int
    user: Text
    clock: datetime | None
    models: Mapping[str, ModelSource]
    model_names: tuple[Text, ...]
    expect: tuple[Expectation, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation, with what the file says once for all of them; `env` holds texts, as an environment does.

    `visitor` is who comes, with what is remembered of him.
    """

    name: Text
    session: str
    env: Mapping[str, str]
    attributes: Mapping[str, Any]
    history: tuple[Message, ...]
    turns: tuple[TurnSpec, ...]
    span: Span
    visitor: Visitor = field(default_factory=Visitor)
    memory_names: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenFile:
    """`pipeline` is as written, relative to the file."""

    path: Path
    pipeline: Text
    env_names: tuple[Text, ...]
    conversations: tuple[Conversation, ...]

    @property
    def pipeline_path(self) -> Path:
        return Path(os.path.normpath(self.path.parent / self.pipeline.value))

    @property
    def cassette_path(self) -> Path:
        return cassette_path(self.path)


def cassette_path(golden: Path) -> Path:
    """The path of the cassette beside the golden file at `golden`."""
    return golden.with_name(golden.name.removesuffix(SUFFIX) + ".cassette.yml")


def load_golden(path: Path) -> tuple[GoldenFile | None, list[Problem]]:
    """The spec of a golden file, or `None` with every mistake in its reading and shape. Opens no other file."""
    root, problems = read_file(path, path.as_posix())
    errors = [problem for problem in problems if problem.severity == "error"]
    return (None, errors) if root is None else golden_of(path, root, errors)


def golden_of(path: Path, root: Node, problems: Sequence[Problem] = ()) -> tuple[GoldenFile | None, list[Problem]]:
    """As `load_golden`, for a tree that was read with `problems`."""
    found = [*problems, *check_shape(root, "golden")]
    if found or not isinstance(root, MappingNode):
        return None, sorted(found, key=lambda problem: problem.sort_key)
    nodes = root.mappings("conversations")
    golden = GoldenFile(
        path=path,
        pipeline=root.text("pipeline"),
        env_names=tuple(name for node in (root, *nodes) for name in _names(node, "env")),
        conversations=tuple(_conversation(node, root) for node in nodes),
    )
    found = [*_impossible_days((root, *nodes, *(turn for node in nodes for turn in node.mappings("turns"))))]
    found += _same_names(golden)
    return (None if found else golden), found


def _conversation(node: MappingNode, root: MappingNode) -> Conversation:
    """A conversation with what the `root` of the file says for all of them."""
    clock = _clock(node) or _clock(root)
    models = {**_models(root), **_models(node)}
    names = (*_names(root, "models"), *_names(node, "models"))
    turns: list[TurnSpec] = []
    for number, turn in enumerate(node.mappings("turns"), start=1):
        clock = _clock(turn) or clock
        spec = TurnSpec(
            number=number,
            user=turn.text("user"),
            clock=clock,
            models={**models, **_models(turn)},
            model_names=(*(names if number == 1 else ()), *_names(turn, "models")),
            expect=_expectations(turn.get("expect")),
            span=turn.span,
        )
        turns.append(spec)
    session, attributes, said = node.words("session"), node.get("attributes"), node.mappings("history")
    visitor = {entry.key.value: plain(entry.value) for entry in node.rows("visitor")}
    visitor.setdefault("visits", 2 if "days_away" in visitor else 1)
    return Conversation(
        name=node.text("name"),
        session=DEFAULT_SESSION if session is None else session,
        env={**_words(root, "env"), **_words(node, "env")},
        attributes={} if attributes is None else plain(attributes),
        history=tuple(message for exchange in said for message in _messages(exchange)),
        turns=tuple(turns),
        span=node.span,
        visitor=Visitor(memory=_words(node, "memory"), **visitor),
        memory_names=_names(node, "memory"),
    )


def _messages(exchange: MappingNode) -> tuple[Message, Message]:
    return Message("user", exchange.text("user").value), Message("assistant", exchange.text("reply").value)


def _expectations(node: Node | None) -> tuple[Expectation, ...]:
    if isinstance(node, ScalarNode):
        return (Expectation(key="reply", value=node.value, node=node),)
    return tuple(
        Expectation(key=entry.key.value, value=plain(entry.value), node=entry.value) for entry in entries(node)
    )


def _models(node: MappingNode) -> dict[str, ModelSource]:
    return {entry.key.value: _source(plain(entry.value)) for entry in node.rows("models")}


def _source(value: Any) -> ModelSource:
    if isinstance(value, str):
        return cast("Place", value)
    spent = float(seconds(value.get("seconds", 0.0)))
    if "error" in value:
        return Fails(error=value["error"], message=value.get("message", "scripted"), seconds=spent)
    more = {key: value[key] for key in ("finish_reason", "tokens", "confidence") if key in value}
    return Says(text=value["says"], seconds=spent, **more)


def _words(node: MappingNode, key: str) -> dict[str, str]:
    return {name.value: text.value for name, text in node.pairs(key)}


def _names(node: MappingNode, key: str) -> tuple[Text, ...]:
    return tuple(entry.key for entry in node.rows(key))


def _clock(node: MappingNode) -> datetime | None:
    with suppress(ValueError):
        return datetime.fromisoformat(node.words("clock") or "")
    return None


def _impossible_days(nodes: Iterable[MappingNode]) -> Iterator[Problem]:
    """Days that no month has."""
    for node in nodes:
        clock = node.optional_text("clock")
        if clock is not None and _clock(node) is None:
            message = phrase("there is no day `{day}`", day=clock.value.split()[0])
            yield Problem(code="P206", message=message, span=clock.span, hint=phrase("correct it"))


def _same_names(golden: GoldenFile) -> Iterator[Problem]:
    first: dict[str, Text] = {}
    for name in (conversation.name for conversation in golden.conversations):
        if name.value in first:
            line = first[name.value].span.line
            message = phrase("a conversation is called `{name}` already, on line {line}", name=name.value, line=line)
            yield Problem(code="P303", message=message, span=name.span, hint=phrase("give it another name"))
        first.setdefault(name.value, name)
