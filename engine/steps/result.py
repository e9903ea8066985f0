"""What a step can come to, and what it may look at: the contract between the step runner and the step kinds.

What only reading and explaining need is no part of a turn, and imported for its types alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Union

from engine.core.deadline import Deadline
from engine.core.events import StepEvent, ignore
from engine.core.lazy import LazyMapping
from engine.core.plan import Plan
from engine.core.ports import Services
from engine.core.record import field, record
from engine.core.turn import Completion, Engine, Turn

if TYPE_CHECKING:
    from engine.steps.explaining import Considered


@record
class Scene:
    """One step's view of a turn; `names` are what conditions and templates see, `tell` takes what happens.

    `behind` are the models of later steps: a step leaves them time to answer, and lets them get ready meanwhile.
    """

    plan: Plan
    turn: Turn
    names: LazyMapping
    services: Services
    deadline: Deadline
    tell: Callable[[StepEvent], None] = ignore
    behind: tuple[str, ...] = ()


@record
class Answer:
    """What a step says, in the words of `Outcome`."""

    reply: str
    engine: Engine
    reply_id: str | None = None
    variant: int | None = None
    score: float | None = None
    offers: str | None = None
    topic: str | None = None
    remembered: Mapping[str, str | None] = field(default_factory=dict)
    model: str | None = None
    completion: Completion | None = None


@record
class Continue:
    """Nothing to say; `vars` are merged into the turn's variables."""

    vars: Mapping[str, Any] = field(default_factory=dict)


@record
class Escalate:
    """Could not answer well enough, as an `Escalation` told; `to` is the position of a later step, or `None` for the
    next one.

    `doubtful` is an answer that is said where no later step has a better one.
    """

    to: int | None = None
    doubtful: Answer | None = None


StepResult = Union[Answer, Continue, Escalate]


@record
class Told:
    """What a step does, and why; one that `answers` certainly ends the turn. `considered` is what it saw where it
    searches, `vars` what it adds to the turn's variables, `remembered` what it does to the memory.
    """

    action: str
    why: str = ""
    answers: bool = False
    considered: tuple[Considered, ...] | None = None
    vars: Mapping[str, Any] = field(default_factory=dict)
    remembered: Mapping[str, str | None] = field(default_factory=dict)
