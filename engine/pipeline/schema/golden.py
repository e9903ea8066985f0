"""Loads a golden file as a typed spec with its places, or tells everything that is wrong with its form.

Nothing here is resolved against the pipeline.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Union, cast

from engine.core.source import Problem, Span, Text
from engine.core.turn import FinishReason, Message, Visitor
from engine.pipeline.reading.compose import read_file
from engine.pipeline.reading.node import MappingNode, Node, ScalarNode, plain
from engine.pipeline.schema.pipeline import entries, items, mapping, seconds, text
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
    """What the file says once for all conversations is already in each; `env` holds texts, as an environment does.

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
    """Where the cassette of the golden file at `golden` lies: beside it."""
    return golden.with_name(golden.name.removesuffix(SUFFIX) + ".cassette.yml")


def load_golden(path: Path) -> tuple[GoldenFile | None, list[Problem]]:
    """The spec of a golden file, or `None` with every mistake in its reading and shape. Opens no other file."""
    root, problems = read_file(path, path.as_posix())
    errors = [problem for problem in problems if problem.severity == "error"]
    return (None, errors) if root is None else golden_of(path, root, errors)


def golden_of(path: Path, root: Node, problems: Sequence[Problem] = ()) -> tuple[GoldenFile | None, list[Problem]]:
    """As `load_golden`, for a tree that was read with `problems`."""
    found = [*problems, *check_shape(root, "golden")]
    if found:
        return None, sorted(found, key=lambda problem: problem.sort_key)
    golden = _golden(path, mapping(root))
    found = [*_impossible_days(mapping(root)), *_same_names(golden)]
    return (None if found else golden), found


def _golden(path: Path, root: MappingNode) -> GoldenFile:
    shared = _Shared(root)
    conversations = tuple(_conversation(mapping(node), shared) for node in items(root.get("conversations")))
    return GoldenFile(
        path=path,
        pipeline=text(root.get("pipeline")),
        env_names=tuple(
            name
            for node in (root, *(mapping(item) for item in items(root.get("conversations"))))
            for name in _keys(node.get("env"))
        ),
        conversations=conversations,
    )


class _Shared:
    """What the top of the file says for every conversation."""

    def __init__(self, root: MappingNode) -> None:
        self.clock = _clock(root.get("clock"))
        self.env = _texts(root.get("env"))
        self.models = _models(root.get("models"))
        self.model_names = _keys(root.get("models"))


def _conversation(node: MappingNode, shared: _Shared) -> Conversation:
    session = node.get("session")
    clock = _clock(node.get("clock")) or shared.clock
    models = {**shared.models, **_models(node.get("models"))}
    names = (*shared.model_names, *_keys(node.get("models")))
    turns: list[TurnSpec] = []
    for number, item in enumerate(items(node.get("turns")), start=1):
        turn = mapping(item)
        clock = _clock(turn.get("clock")) or clock
        turns.append(
            TurnSpec(
                number=number,
                user=text(turn.get("user")),
                clock=clock,
                models={**models, **_models(turn.get("models"))},
                model_names=(*(names if number == 1 else ()), *_keys(turn.get("models"))),
                expect=_expectations(turn.get("expect")),
                span=turn.span,
            )
        )
    attributes = node.get("attributes")
    return Conversation(
        name=text(node.get("name")),
        session=DEFAULT_SESSION if session is None else text(session).value,
        env={**shared.env, **_texts(node.get("env"))},
        attributes={} if attributes is None else plain(attributes),
        history=_history(node.get("history")),
        turns=tuple(turns),
        span=node.span,
        visitor=_visitor(node),
        memory_names=_keys(node.get("memory")),
    )


def _visitor(node: MappingNode) -> Visitor:
    given = node.get("visitor")
    named = {} if given is None else plain(given)
    return Visitor(
        memory=_texts(node.get("memory")),
        visits=named.get("visits", 2 if "days_away" in named else 1),
        days_away=named.get("days_away"),
        signed_in=named.get("signed_in", False),
        name=named.get("name"),
    )


def _history(node: Node | None) -> tuple[Message, ...]:
    messages: list[Message] = []
    for item in items(node):
        exchange = mapping(item)
        messages.append(Message("user", text(exchange.get("user")).value))
        messages.append(Message("assistant", text(exchange.get("reply")).value))
    return tuple(messages)


def _expectations(node: Node | None) -> tuple[Expectation, ...]:
    if node is None:
        return ()
    if isinstance(node, ScalarNode):
        return (Expectation(key="reply", value=node.value, node=node),)
    return tuple(
        Expectation(key=entry.key.value, value=plain(entry.value), node=entry.value) for entry in mapping(node).entries
    )


def _models(node: Node | None) -> dict[str, ModelSource]:
    return {entry.key.value: _source(plain(entry.value)) for entry in entries(node)}


def _source(value: Any) -> ModelSource:
    if isinstance(value, str):
        return cast("Place", value)
    fields: Mapping[str, Any] = value
    spent = float(seconds(fields.get("seconds", 0.0)))
    if "error" in fields:
        return Fails(error=fields["error"], message=fields.get("message", "scripted"), seconds=spent)
    return Says(
        text=fields["says"],
        finish_reason=fields.get("finish_reason", "stop"),
        tokens=fields.get("tokens"),
        confidence=fields.get("confidence"),
        seconds=spent,
    )


def _texts(node: Node | None) -> dict[str, str]:
    return {entry.key.value: text(entry.value).value for entry in entries(node)}


def _keys(node: Node | None) -> tuple[Text, ...]:
    return tuple(entry.key for entry in entries(node))


def _clock(node: Node | None) -> datetime | None:
    try:
        return None if node is None else datetime.fromisoformat(text(node).value)
    except ValueError:
        return None


def _impossible_days(root: MappingNode) -> list[Problem]:
    """Days that no month has."""
    conversations = [mapping(item) for item in items(root.get("conversations"))]
    turns = [mapping(turn) for conversation in conversations for turn in items(conversation.get("turns"))]
    clocks = [node.get("clock") for node in (root, *conversations, *turns)]
    return [
        Problem(
            code="P206", message=f"there is no day `{text(clock).value.split()[0]}`", span=clock.span, hint="correct it"
        )
        for clock in clocks
        if clock is not None and _clock(clock) is None
    ]


def _same_names(golden: GoldenFile) -> list[Problem]:
    first: dict[str, Text] = {}
    problems: list[Problem] = []
    for conversation in golden.conversations:
        name = conversation.name
        if name.value in first:
            message = f"a conversation is called `{name.value}` already, on line {first[name.value].span.line}"
            problems.append(Problem(code="P303", message=message, span=name.span, hint="give it another name"))
        first.setdefault(name.value, name)
    return problems
