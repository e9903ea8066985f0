"""Lists the step kinds, and defines the contract between them and the step runner.

A row names the module that owns its kind, which is imported when it is needed. What only reading and explaining need
is no part of a turn, and imported for its types alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, Union, cast

from engine.core.deadline import Deadline
from engine.core.events import StepEvent, ignore
from engine.core.expression import LazyMapping
from engine.core.plan import Plan, Step
from engine.core.ports import Services
from engine.core.record import field, record
from engine.core.turn import Completion, Engine, Turn

if TYPE_CHECKING:
    from engine.core.node import MappingNode
    from engine.steps.explaining import Considered, View
    from engine.steps.spec import StepSpec


@record
class Scene:
    """One step's view of a turn; `names` are what conditions and templates see, `tell` takes what happens.

    `behind` are the models of later steps: a step leaves them time to answer, and lets them get ready meanwhile.
    Where the turn is streamed, `say` takes each sentence that is certain; what a step said it answers in the end.
    """

    plan: Plan
    turn: Turn
    names: LazyMapping
    services: Services
    deadline: Deadline
    tell: Callable[[StepEvent], None] = ignore
    behind: tuple[str, ...] = ()
    say: Callable[[str], None] | None = None


@record
class Answer:
    """The answer of a step, in the terms of `Outcome`."""

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
    """The explanation of a step; one that `answers` certainly ends the turn. `considered` is what it saw where it
    searches, `vars` what it adds to the turn's variables, `remembered` what it does to the memory.
    """

    action: str
    why: str = ""
    answers: bool = False
    considered: tuple[Considered, ...] | None = None
    vars: Mapping[str, Any] = field(default_factory=dict)
    remembered: Mapping[str, str | None] = field(default_factory=dict)


STEP_KINDS: Mapping[str, str] = {
    "replies": "engine.steps.replies",
    "generate": "engine.steps.generate",
    "say": "engine.steps.say",
    "set": "engine.steps.set",
}


class StepKind(Protocol):
    """The interface of a step kind's module: the schema of its keys, and its part in each stage."""

    @property
    def SCHEMA(self) -> Mapping[str, Any]: ...
    def read(self, spec: StepSpec, node: MappingNode) -> StepSpec:
        """`spec`, which has what all steps have, with what this kind reads."""

    def run(self, step: Step, scene: Scene) -> StepResult:
        """Take part in a turn; may raise `TurnError`, which escalates."""

    def explain(self, step: Step, view: View) -> Told:
        """Explain what `run` would do, without asking any model."""


def step_kind(name: str) -> StepKind:
    return cast("StepKind", import_module(STEP_KINDS[name]))


def complete_schema(definitions: dict[str, Any]) -> None:
    """Put what the kinds have to say into the `definitions` of the schema of pipelines."""
    step, own = definitions["step"], {name: step_kind(name).SCHEMA for name in STEP_KINDS}
    usual = step["properties"]
    usual["kind"]["enum"] = list(STEP_KINDS)
    usual["kind"]["description"] = " ".join(f"`{name}`: {schema['description']}" for name, schema in own.items())
    step["propertyNames"]["enum"] = list(
        dict.fromkeys((*usual, *(key for one in own.values() for key in one["properties"])))
    )
    step["allOf"] = []
    for name, schema in own.items():
        applies = {"type": "object", "required": ["kind"], "properties": {"kind": {"const": name}}}
        step["allOf"].append({"if": applies, "then": {"$ref": f"#/$defs/step_{name}"}})
        keys = {**dict.fromkeys(usual, True), **schema["properties"]}
        definitions[f"step_{name}"] = {**schema, "additionalProperties": False, "properties": keys}
