"""An error of the JSON Schema validator together with the node and the place that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.core.source import Problem, Span
from engine.pipeline.reading.decoding import shortened
from engine.pipeline.reading.node import MappingNode, Node, ScalarNode, SequenceNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An error of the validator with the node it is about, the place to show, and what is around it.

    `context` reads as ` in reply `greet``; the error is a `jsonschema.ValidationError`, whose fields are loosely typed.
    """

    error: Any
    node: Node
    span: Span
    context: str

    @property
    def schema(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.error.schema
        return found

    @property
    def limit(self) -> Any:
        """The value of the keyword that was not met."""
        return self.error.validator_value

    def problem(self, code: str, message: str, hint: str = "", span: Span | None = None) -> Problem:
        return Problem(code=code, message=message, span=span or self.span, hint=hint)

    @property
    def of(self) -> str:
        """Names the key, for when the caret does not stand under it: ` for `say` in reply `greet``."""
        path = self.error.absolute_path
        last = next((part for part in reversed(path) if isinstance(part, str)), None)
        return f" for `{last}`{self.context.removesuffix(f' in `{last}`')}" if last else ""

    @property
    def is_item(self) -> bool:
        """Whether the node is an item of a list."""
        path = self.error.absolute_path
        return bool(path) and isinstance(path[-1], int)


def describe(node: Node) -> str:
    """What stands there, as a person would say it."""
    match node:
        case SequenceNode():
            return "a list"
        case MappingNode():
            return "keys with values"
        case ScalarNode(value=None):
            return "nothing"
        case ScalarNode(value=bool()):
            return f"`{node.source}`"
        case ScalarNode(value=int() | float()):
            return f"number `{node.source}`"
        case _:
            return f"text `{shortened(node.source)}`"
