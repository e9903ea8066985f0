"""Small conversions from nodes that fit their schema: texts, durations, settings and references to the environment."""

from __future__ import annotations

import re
from typing import Any, cast

from engine.core.expression import Value
from engine.core.source import EnvRef, Located, Setting, Text
from engine.pipeline.reading.node import Entry, MappingNode, Node, ScalarNode, SequenceNode
from engine.pipeline.reading.scalars import parse_default

_REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::([^{}]*))?\}", re.ASCII)
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)", re.ASCII)
_SECONDS = {"s": 1.0, "ms": 0.001}


def text(node: Node | None) -> Text:
    """A scalar as the text that was written, with its place."""
    scalar = cast("ScalarNode", node)
    return Located(value=scalar.source, span=scalar.span)


def optional_text(node: Node | None) -> Text | None:
    return None if node is None else text(node)


def optional_words(node: Node | None) -> str | None:
    """A scalar as the text that was written, where its place does not matter."""
    return None if node is None else text(node).value


def flag(node: Node | None) -> bool:
    return isinstance(node, ScalarNode) and node.value is True


def texts(node: Node | None) -> tuple[Text, ...]:
    return tuple(text(item) for item in items(node))


def items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, SequenceNode) else ()


def entries(node: Node | None) -> tuple[Entry, ...]:
    return node.entries if isinstance(node, MappingNode) else ()


def mapping(node: Node | None) -> MappingNode:
    return cast("MappingNode", node)


def number(node: Node | None, default: float) -> float:
    value = node.value if isinstance(node, ScalarNode) else default
    return float(value) if isinstance(value, int | float) else default


def setting(node: Node) -> Setting:
    """A literal, a list of literals, or a reference to the environment."""
    if isinstance(node, SequenceNode):
        found: Value = tuple(item.value for item in node.items if isinstance(item, ScalarNode))
        return Located(value=found, span=node.span)
    value = cast("ScalarNode", node).value
    reference = parse_reference(value)
    return Located(value=value if reference is None else reference, span=node.span)


def duration(node: Node) -> Setting:
    """As `setting`, with times such as `4s` in seconds."""
    found = setting(node)
    if isinstance(found.value, EnvRef):
        reference = found.value
        default = seconds(reference.default)
        return Located(
            value=EnvRef(name=reference.name, default=default, has_default=reference.has_default), span=found.span
        )
    return Located(value=seconds(found.value), span=found.span)


def seconds(value: Any) -> Any:
    """A time such as `1.5s` or `900ms` as a number of seconds; anything else as it is."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return float(match[1]) * _SECONDS[match[2]] if match else value


def parse_reference(value: Any) -> EnvRef | None:
    """The reference that `${NAME:default}` is, or `None` for any other value. An empty default is no value."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    default = parse_default(match[2]) if match[2] is not None else None
    return EnvRef(name=match[1], default=default, has_default=match[2] is not None)
