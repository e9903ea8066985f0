"""Records the events of a turn, from its beginning to its result.

Whoever takes part in a turn tells these; log, metrics, traces, streams and goldens read them and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Union

from engine.core.record import field, record
from engine.core.source import Span
from engine.core.turn import Completion, Engine, FinishReason, Visitor


@record
class TurnStarted:
    """`number` counts the turns of the session from 1, and is 0 for a turn that is answered again."""

    session_id: str
    number: int
    visitor: Visitor = field(default_factory=Visitor)


@record
class StepPassedOver:
    """The condition of a step did not hold."""

    step: str


@record
class CandidateRefused:
    """A reply whose trigger matched and whose `condition` did not hold; `span` is the reply's."""

    step: str
    reply_id: str
    score: float
    condition: str
    span: Span


@record
class ReplyFailed:
    """A reply that was selected and has no template that renders; `problem` is for the editor."""

    step: str
    reply_id: str
    score: float
    problem: str


@record
class ReplyMatched:
    """A reply that answers, as one of its triggers matches; `score` runs to 100."""

    step: str
    reply_id: str
    score: float
    variant: int | None


@record
class ReplyChosen:
    """A reply that answers without a trigger; `among` are all that could have."""

    step: str
    reply_id: str | None
    variant: int | None
    among: tuple[str, ...]


@record
class NoReply:
    """A step found no reply to say; `threshold` is what a trigger would have had to score."""

    step: str
    threshold: float | None = None


@record
class VariablesSet:
    step: str
    values: Mapping[str, Any]


@record
class ModelAsked:
    """`model` is the name in the pipeline, here and in all events."""

    step: str
    model: str


@record
class ModelAnswered:
    """`escalates` is the reason for which the answer is not good enough; tokens are `None` where no backend counts."""

    step: str
    model: str
    finish_reason: FinishReason
    prompt_tokens: int | None = None
    tokens: int | None = None
    confidence: float | None = None
    escalates: str | None = None
    seconds: float = 0.0


@record
class ModelFailed:
    """A model that raised, or was not even `called`. The rest is `BackendError`'s: `name` is the model's name at its
    provider, whose words `status` and `code` are.
    """

    step: str
    model: str
    called: bool
    reason: str
    kind: str
    problem: str
    name: str | None = None
    status: int | None = None
    code: str | None = None
    seconds: float = 0.0


@record
class Escalation:
    """`reason` is a detector's name or the editor's words; `detail` explains it without secrets."""

    step: str
    reason: str
    model: str | None = None
    detail: str = ""


@record
class StepEnded:
    step: str
    end: Literal["answered", "continued", "escalated"]
    seconds: float = 0.0


StepEvent = Union[
    StepPassedOver,
    CandidateRefused,
    ReplyFailed,
    ReplyMatched,
    ReplyChosen,
    NoReply,
    VariablesSet,
    ModelAsked,
    ModelAnswered,
    ModelFailed,
    Escalation,
    StepEnded,
]
"""What a step decides; every one names its `step`."""


@record
class Sentence:
    """A part of the reply that is certain: it will be neither taken back nor said again; `index` counts from 0."""

    index: int
    text: str


@record
class Outcome:
    """The result of a turn; `reply` is `None` when no step was left that answers.

    `score` is that of the trigger that selected the reply, `model` the pipeline's name of the model that answered,
    `variables` are those that steps set. `offers` and `topic` are what a canned reply declares, `remembered` what it
    does to the memory: a new value by name, or `None` for what is forgotten.
    """

    reply: str | None
    engine: Engine | None = None
    step: str | None = None
    reply_id: str | None = None
    variant: int | None = None
    score: float | None = None
    offers: str | None = None
    topic: str | None = None
    remembered: Mapping[str, str | None] = field(default_factory=dict)
    model: str | None = None
    completion: Completion | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    escalations: tuple[Escalation, ...] = ()
    trace: tuple[StepEvent, ...] = ()
    seconds: float = 0.0

    @property
    def is_gap(self) -> bool:
        """Tells whether no trigger selected the reply."""
        return self.score is None


@record
class ChatResult:
    """The last event of a turn: the user's text, what it came to, and its room; `latency_ms` is what it took to answer.

    `stored` tells whether the turn is kept in its room, `replayed` that it ran before and is answered again.
    """

    text: str
    outcome: Outcome
    session_id: str
    latency_ms: float
    stored: bool = False
    replayed: bool = False


Event = Union[TurnStarted, StepEvent, Sentence, ChatResult]
Listen = Callable[[Event], None]
"""Hears of each event when it happens, in the thread of the turn."""


def ignore(event: Event) -> None:
    """Listens to nothing."""
