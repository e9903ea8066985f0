"""A golden file to its spec, or to everything that is wrong with its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from engine.core.source import Problem, Text
from engine.core.turn import Message, Visitor
from engine.pipeline.reading.files import read_file
from engine.pipeline.reading.node import MappingNode, Node, ScalarNode, plain
from engine.pipeline.schema.golden_spec import (
    DEFAULT_SESSION,
    Conversation,
    Expectation,
    Fails,
    GoldenFile,
    ModelSource,
    Place,
    Says,
    TurnSpec,
)
from engine.pipeline.schema.shape import check_shape
from engine.pipeline.schema.values import entries, items, mapping, seconds, text


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
