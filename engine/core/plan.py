"""Represents the compiled pipeline: immutable, shared by all turns, free of YAML, schemas, Jinja and vendor SDKs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

from engine.core.expression import Condition, Scalar, Template, Value
from engine.core.ports import RepliesByText, ReplyIndex, SentenceKinds
from engine.core.record import field, record
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
    """`topic` is what the talk is about once this was said.

    `captures` are those of its regexes that have named groups, `remember` and `forget` what it does to the memory.
    """

    id: str
    when: Condition | None
    priority: int
    say: tuple[Variant, ...]
    span: Span
    topic: str | None = None
    tags: tuple[str, ...] = ()
    captures: tuple[str, ...] = ()
    remember: tuple[tuple[str, Template], ...] = ()
    forget: tuple[str, ...] = ()


@record
class Memory:
    """The bounds of a remembered value: its `characters`, and the seconds of its life (`None`: the store's)."""

    label: str
    characters: int
    forget_after: float | None = None


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

    @property
    def reason(self) -> str:
        return self.name


@record
class ExpressionDetector:
    """With `doubt`, the answer is still better than none."""

    test: Condition
    reason: str
    doubt: bool = False


Detector = Union[NamedDetector, ExpressionDetector]


DEFAULT_THRESHOLD = 80.0
NO_TEMPLATE = Template(source="", origin="", constant=True)


@record
class Step:
    """A step of some `kind`; what its kind does not read stands at its default.

    One that `searches` looks for triggers that score `threshold`; `replies` are the positions of those that it may say
    without a trigger. Where `tags` are named, no reply without one of them is said. `models` are asked by `prompt` for
    `timeout` seconds, and `detectors` judge their answers; `escalate_to` is the position of a later step. `values` are
    the variables that it sets. `own` is plain data that only its kind understands.
    """

    id: str
    kind: str
    when: Condition | None
    span: Span
    searches: bool = False
    threshold: float = DEFAULT_THRESHOLD
    tags: tuple[str, ...] = ()
    replies: tuple[int, ...] = ()
    models: tuple[str, ...] = ()
    prompt: Template = NO_TEMPLATE
    timeout: float | None = None
    detectors: tuple[Detector, ...] = ()
    escalate_to: int | None = None
    values: tuple[tuple[str, Condition], ...] = ()
    own: Any = None

    def takes(self, reply: Reply) -> bool:
        return not self.tags or not set(self.tags).isdisjoint(reply.tags)


@record
class Persona:
    """`data` is what templates see as `persona`."""

    name: str
    labels: Labels
    examples: tuple[Exchange, ...]
    data: Mapping[str, Any]


@record
class Limit:
    """The allowance of a day: turns, and calls of external models for so many millionths of a dollar."""

    turns: int | None = None
    external: int | None = None


@record
class Limits:
    """`step` says the reply for those whose turns are used up.

    `prices` are dollars for a million tokens, read and written, by what vendors call their models, as of the day
    `priced`.
    """

    anonymous: Limit
    user: Limit
    everyone: Limit
    step: Step | None = None
    prices: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    priced: str = ""

    @property
    def bound_money(self) -> bool:
        return any(one.external is not None for one in (self.anonymous, self.user, self.everyone))


@record
class Plan:
    """A runnable pipeline. `replies` are in file order, `index` selects among them by position, and `spoken` finds
    the one that said a text.

    `notices` say which values from the environment were not understood, and what is used instead; `zone_rules` is the
    IANA file of `timezone`, empty where it is to be looked for; `kinds` is there where the pipeline teaches some,
    `memory` names all that may be remembered of visitors, and `mask` what external models do not see;
    `limits` are those of a day in `timezone`; `closing` is said where a streamed answer breaks off.
    """

    name: str
    locale: str
    timezone: str
    deadline: float
    persona: Persona
    env: Mapping[str, Scalar]
    replies: Sequence[Reply]
    index: ReplyIndex
    spoken: RepliesByText
    models: Mapping[str, ModelRow]
    steps: tuple[Step, ...]
    memory: Mapping[str, Memory] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    zone_rules: bytes = b""
    kinds: SentenceKinds | None = None
    mask: tuple[str, ...] = ()
    limits: Limits | None = None
    closing: str = ""
