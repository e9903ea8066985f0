"""What a step can come to, and what it may look at: the contract between the fold and the step kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Union

from engine.core.deadline import Deadline
from engine.core.lazy import LazyMapping
from engine.core.plan import Plan
from engine.core.ports import Services
from engine.core.record import field, record
from engine.core.turn import Completion, Engine, Escalation, TraceEvent, Turn


@record
class Scene:
    """One step's view of a turn; `names` are what conditions and templates see.

    `behind` are the models of later steps: a step leaves them time to answer, and lets them get ready meanwhile.
    """

    plan: Plan
    turn: Turn
    names: LazyMapping
    services: Services
    deadline: Deadline
    behind: tuple[str, ...] = ()


@record
class Answer:
    reply: str
    engine: Engine
    reply_id: str | None = None
    variant: int | None = None
    offers: str | None = None
    topic: str | None = None
    completion: Completion | None = None
    escalations: tuple[Escalation, ...] = ()
    trace: tuple[TraceEvent, ...] = ()


@record
class Continue:
    """Nothing to say; `vars` are merged into the turn's variables."""

    vars: Mapping[str, Any] = field(default_factory=dict)
    trace: tuple[TraceEvent, ...] = ()


@record
class Escalate:
    """Could not answer well enough; `to` is the position of a later step, or `None` for the next one.

    `doubtful` is an answer that is said where no later step has a better one.
    """

    escalations: tuple[Escalation, ...]
    to: int | None = None
    doubtful: Answer | None = None
    trace: tuple[TraceEvent, ...] = ()


StepResult = Union[Answer, Continue, Escalate]
