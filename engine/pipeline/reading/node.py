"""The tree that a YAML file becomes: scalars, sequences and mappings, each with the place where it was written.

Nodes are named tuples: a large file has a hundred thousand of them, and records take four times as long to make.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Union

from engine.core.expression import Scalar
from engine.core.source import Located, Span


class ScalarNode(NamedTuple):
    """A leaf. `source` is the text before it was read as a number or a word; `flagged` when a problem was reported."""

    value: Scalar
    source: str
    span: Span
    flagged: bool = False


class SequenceNode(NamedTuple):
    """Items in order; `flagged` when the file broke off inside."""

    items: tuple[Node, ...]
    span: Span
    flagged: bool = False


class Entry(NamedTuple):
    """One `key: value` of a mapping; a key that is a number or a word is kept as its text."""

    key: Located[str]
    value: Node


class MappingNode(NamedTuple):
    """Entries in order, each key once; `flagged` when an entry was left out and reported, or the file broke off."""

    entries: tuple[Entry, ...]
    span: Span
    flagged: bool = False

    def entry(self, key: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.key.value == key), None)

    def get(self, key: str) -> Node | None:
        entry = self.entry(key)
        return entry.value if entry else None


Node = Union[ScalarNode, SequenceNode, MappingNode]


def plain(node: Node) -> Any:
    """The node as ordinary values: dicts, lists and scalars. A flagged scalar stays the text that was written."""
    match node:
        case ScalarNode(value=value):
            return value
        case SequenceNode(items=items):
            return [plain(item) for item in items]
        case MappingNode(entries=entries):
            return {entry.key.value: plain(entry.value) for entry in entries}


def scalars(node: Node) -> Iterator[ScalarNode]:
    """Every leaf below `node`, in file order."""
    match node:
        case ScalarNode():
            yield node
        case SequenceNode(items=items):
            for item in items:
                yield from scalars(item)
        case MappingNode(entries=entries):
            for entry in entries:
                yield from scalars(entry.value)
