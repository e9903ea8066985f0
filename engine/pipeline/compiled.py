"""A pipeline compiled as far as that goes without an environment: what `engine.pipeline.bind` makes a plan of.

It depends on nothing but the source files, so it can be stored and used on another machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Union

from engine.core.expression import Value
from engine.core.plan import Plan
from engine.core.record import record
from engine.core.source import EnvRef

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

    `deadline` and `numbers`, by a step's id and field as in `canned.threshold`, are the references that an environment
    may set.
    """

    plan: Plan
    deadline: EnvRef | None
    numbers: Mapping[str, EnvRef]
    models: tuple[ModelDeclaration, ...]
