"""The step kinds as data rows: a row names the module that owns its kind, which is imported when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from engine.core.plan import Step
from engine.steps.result import Scene, StepResult, Told

if TYPE_CHECKING:
    from engine.steps.explaining import View
    from engine.steps.spec import Keys, StepSpec

STEP_KINDS: Mapping[str, str] = {
    "replies": "engine.steps.replies",
    "generate": "engine.steps.generate",
    "say": "engine.steps.say",
    "set": "engine.steps.set",
}


class StepKind(Protocol):
    """What the module of a step kind offers: the schema of its keys, and what it makes of them at each stage."""

    @property
    def SCHEMA(self) -> Mapping[str, Any]: ...
    def read(self, spec: StepSpec, keys: Keys) -> StepSpec:
        """`spec`, which has what all steps have, with what this kind reads."""

    def run(self, step: Step, scene: Scene) -> StepResult:
        """Take part in a turn; may raise `TurnError`, which escalates."""

    def explain(self, step: Step, view: View) -> Told:
        """What `run` would do, without asking any model."""


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
