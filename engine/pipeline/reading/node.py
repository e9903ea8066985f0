"""The tree that a YAML file becomes, what its unquoted words mean, and how large it may be.

Nodes are named tuples: a large file has a hundred thousand of them, and records take four times as long to make.

`true`, `false`, `null`, decimal numbers and text are read as everybody expects. Words whose meaning depends on the
YAML version (`no`, `on`, `12:30`, `017` …) are never guessed at: the editor is asked to quote them or to write what is
meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Union

from engine.core.expression import Scalar
from engine.core.source import Located, Span

MAX_BYTES = 4_000_000
"""Ten thousand replies in one file take about three million."""

MAX_DEPTH = 40
MAX_NODES = 150_000
"""Counted with every alias written out; ten thousand plain replies in one file take about 120,000."""

MAX_ALIASES = 200
MAX_PROBLEMS = 500
"""Problems collected in one file: nobody reads more, and a hostile file could have millions. Reading stops there."""

MAX_SCALAR = 100_000
"""Characters of one text."""

MAX_DIGITS = 15
"""Digits of a whole number: beyond them a float no longer holds it exactly."""


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


WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?", re.ASCII)
FIRST_OF_SURPRISE = frozenset("0123456789+-.yYnNoO")
"""What a number begins with, or a word that YAML versions read differently."""
_SURPRISES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"yes|Yes|YES|on|On|ON"), "true"),
    (re.compile(r"no|No|NO|off|Off|OFF"), "false"),
    (re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"), "a number in base 60"),
    (re.compile(r"[-+]?0[0-9_]+"), "a number in base 8, or without its leading zero"),
    (re.compile(r"[-+]?0o?[0-7_]+"), "a number in base 8"),
    (re.compile(r"[-+]?0x[0-9a-fA-F_]+"), "a number in base 16"),
    (re.compile(r"[-+]?0b[01_]+"), "a number in base 2"),
    (re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?"), "a number with `_` left out"),
    (re.compile(r"[-+]?0[0-9]+\.[0-9]*"), "a number without its leading zero"),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), "a number without bounds"),
)


def resolve(text: str) -> Scalar:
    """The value of an unquoted word that is no surprise."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in FIRST_OF_SURPRISE:
        return text
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= MAX_DIGITS else text
    if _FLOAT.fullmatch(text):
        return float(text) if len(text) <= 2 * MAX_DIGITS else text
    return text


def surprise(text: str) -> str | None:
    """What some YAML readers take the unquoted `text` for, or `None` when all agree."""
    if not text or text[0] not in FIRST_OF_SURPRISE:
        return None
    if _INTEGER.fullmatch(text):
        return "a number that is rounded" if len(text) > MAX_DIGITS else None
    if _FLOAT.fullmatch(text):
        return "a number that is rounded" if len(text) > 2 * MAX_DIGITS else None
    return next((meaning for pattern, meaning in _SURPRISES if pattern.fullmatch(text)), None)


def parse_default(text: str) -> Scalar:
    """The value of the default in `${NAME:default}`: a plain or quoted scalar; empty is no value."""
    bare = text.strip()
    if len(bare) >= 2 and bare[0] == bare[-1] and bare[0] in "'\"":
        return bare[1:-1]
    return resolve(bare)
