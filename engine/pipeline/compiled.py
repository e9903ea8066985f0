"""A pipeline compiled as far as that goes without an environment: what `engine.pipeline.bind` makes a plan of.

It depends on nothing but the source files, so it can be stored and used on another machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Union

from engine.core.expression import Scalar, Value
from engine.core.plan import Plan
from engine.core.record import record


@record
class EnvRef:
    """`${NAME:default}`: a typed value from the environment; `default` is already parsed as a YAML scalar."""

    name: str
    default: Scalar
    has_default: bool


Given = Union[Value, EnvRef]
"""A literal or a reference to the environment."""


@record
class ModelDeclaration:
    """A row of `models` as the pipeline gives it; `settings` holds every key but `backend`."""

    id: str
    backend: Given
    settings: Mapping[str, Given]


@record
class Compiled:
    """`plan` has no models and no environment, and every reference in it stands at its default.

    `deadline` and, by the step's id, `numbers` are the references that an environment may set: thresholds and timeouts.
    """

    plan: Plan
    deadline: EnvRef | None
    numbers: Mapping[str, EnvRef]
    models: tuple[ModelDeclaration, ...]
