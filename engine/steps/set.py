"""The `set` step: computes variables from condition-expressions, for the steps and templates that follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.core.events import VariablesSet
from engine.core.expression import LazyMapping
from engine.core.language import phrase
from engine.core.plan import Step
from engine.core.record import replace
from engine.expressions.evaluate import evaluate
from engine.steps.kinds import Continue, Scene, StepResult, Told

if TYPE_CHECKING:
    from engine.core.node import MappingNode
    from engine.steps.explaining import View
    from engine.steps.spec import StepSpec

SCHEMA = {
    "description": "Keeps values that later conditions and templates of this turn see as `vars`.",
    "required": ["vars"],
    "properties": {
        "vars": {
            "description": "The values by name; each is an expression, so a text stands in quotes twice: \"'text'\".",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 50,
            "propertyNames": {"$ref": "#/$defs/id"},
            "additionalProperties": {
                "description": "An expression.",
                "type": ["string", "number", "boolean"],
                "maxLength": 2000,
                "pattern": r"^(?![\s\S]*\$\{[A-Za-z_])[\s\S]*\S",
                "patternErrorMessage": "expected an expression that is not blank and holds no `${…}`",
                "errorMessage": "`${…}` is not read here; write `env.NAME`",
            },
        }
    },
}


def read(spec: StepSpec, node: MappingNode) -> StepSpec:
    return replace(spec, variables=node.pairs("vars"))


def run(step: Step, scene: Scene) -> StepResult:
    values = _values(step, scene.names)
    scene.tell(VariablesSet(step=step.id, values=values))
    return Continue(vars=values)


def explain(step: Step, view: View) -> Told:
    values = _values(step, view.names)
    named = ", ".join(f"{name} = {value}" for name, value in values.items())
    return Told(action=phrase("sets {values}", values=named), vars=values)


def _values(step: Step, names: LazyMapping) -> Mapping[str, Any]:
    return {name: evaluate(expression, names) for name, expression in step.values}
