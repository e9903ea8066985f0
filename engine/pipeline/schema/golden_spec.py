"""What a golden file says, typed and with its places. Nothing here is resolved against the pipeline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Union

from engine.core.source import Span, Text
from engine.core.turn import FinishReason, Message, Visitor
from engine.pipeline.reading.node import Node

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
