"""The compiled pipeline: immutable, shared by all invocations, and free of YAML, schemas, Jinja and vendor SDKs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

from engine.core.expression import Condition, Scalar, Template, Value
from engine.core.ports import ReplyIndex, SentenceKinds
from engine.core.record import record
from engine.core.source import Span
from engine.core.turn import Exchange, Labels


@record
class Variant:
    """`offers` is what these words offer or serve."""

    text: Template
    weight: float
    offers: Template | None = None


@record
class Reply:
    """`topic` is what the talk is about once this was said."""

    id: str
    when: Condition | None
    priority: int
    say: tuple[Variant, ...]
    span: Span
    topic: str | None = None
    tags: tuple[str, ...] = ()


@record
class ModelRow:
    """A model as the pipeline declares it; `misconfigured` says what is wrong with a value from the environment."""

    id: str
    backend: str
    settings: Mapping[str, Value]
    misconfigured: str | None = None


@record
class NamedDetector:
    name: str
    threshold: float | None = None


@record
class ExpressionDetector:
    """With `doubt`, the answer is still better than none."""

    test: Condition
    reason: str
    doubt: bool = False


Detector = Union[NamedDetector, ExpressionDetector]


@record
class RepliesStep:
    """With `otherwise`, positions of replies, it chooses among those instead of looking for a trigger.

    Where `only` names tags, no reply without one of them is said.
    """

    id: str
    when: Condition | None
    threshold: float
    span: Span
    otherwise: tuple[int, ...] | None = None
    only: tuple[str, ...] = ()

    def takes(self, reply: Reply) -> bool:
        return not self.only or not set(self.only).isdisjoint(reply.tags)


@record
class GenerateStep:
    """`escalate_to` is the position of a later step; `timeout` is in seconds."""

    id: str
    when: Condition | None
    models: tuple[str, ...]
    prompt: Template
    timeout: float | None
    detectors: tuple[Detector, ...]
    escalate_to: int | None
    span: Span


@record
class SayStep:
    id: str
    when: Condition | None
    reply: int
    span: Span


@record
class SetStep:
    id: str
    when: Condition | None
    values: tuple[tuple[str, Condition], ...]
    span: Span


Step = Union[RepliesStep, GenerateStep, SayStep, SetStep]


@record
class Persona:
    """`data` is what templates see as `persona`."""

    name: str
    labels: Labels
    examples: tuple[Exchange, ...]
    data: Mapping[str, Any]


@record
class Plan:
    """A runnable pipeline. `replies` are in file order, and `index` selects among them by position.

    `notices` say which values from the environment were not understood, and what is used instead; `zone_rules` is the
    IANA file of `timezone`, empty where it is to be looked for; `kinds` is there where the pipeline teaches some.
    """

    name: str
    locale: str
    timezone: str
    deadline: float
    persona: Persona
    env: Mapping[str, Scalar]
    replies: Sequence[Reply]
    index: ReplyIndex
    models: Mapping[str, ModelRow]
    steps: tuple[Step, ...]
    notices: tuple[str, ...] = ()
    zone_rules: bytes = b""
    kinds: SentenceKinds | None = None
