"""Represents a YAML file as a tree of nodes, reads the meaning of its words, and bounds its size.

`true`, `false`, `null`, decimal numbers and text are read as everybody expects. Words whose meaning depends on the
YAML version (`no`, `on`, `12:30`, `017` …) are never guessed at: the editor is asked to quote them or to write what is
meant.

Nodes are named tuples: a large file has a hundred thousand of them, and records take four times as long to make.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Union, cast

from engine.core.expression import Scalar
from engine.core.language import phrase
from engine.core.source import EnvRef, Located, Setting, Span, Text

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

    @property
    def text(self) -> Text:
        """The text that was written, with its place."""
        return Located(value=self.source, span=self.span)


class SequenceNode(NamedTuple):
    """Items in order; `flagged` when the file broke off inside."""

    items: tuple[Node, ...]
    span: Span
    flagged: bool = False


class Entry(NamedTuple):
    """One `key: value` of a mapping; a key that is a number or a word is kept as its text."""

    key: Text
    value: Node


class MappingNode(NamedTuple):
    """Entries in order, each key once; `flagged` when an entry was left out and reported, or the file broke off.

    The methods that name a type of value are for a node that fits its schema.
    """

    entries: tuple[Entry, ...]
    span: Span
    flagged: bool = False

    def entry(self, key: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.key.value == key), None)

    def get(self, key: str) -> Node | None:
        entry = self.entry(key)
        return entry.value if entry else None

    def text(self, key: str) -> Text:
        return cast("ScalarNode", self.get(key)).text

    def optional_text(self, key: str) -> Text | None:
        node = cast("ScalarNode | None", self.get(key))
        return node.text if node else None

    def words(self, key: str) -> str | None:
        """A text whose place does not matter."""
        node = cast("ScalarNode | None", self.get(key))
        return node.source if node else None

    def texts(self, key: str) -> tuple[Text, ...]:
        return tuple(cast("ScalarNode", item).text for item in self.items(key))

    def items(self, key: str) -> tuple[Node, ...]:
        return items(self.get(key))

    def mappings(self, key: str) -> tuple[MappingNode, ...]:
        """The items of a list of mappings."""
        return cast("tuple[MappingNode, ...]", self.items(key))

    def rows(self, key: str) -> tuple[Entry, ...]:
        """The entries of the mapping under `key`."""
        return entries(self.get(key))

    def pairs(self, key: str) -> tuple[tuple[Text, Text], ...]:
        return tuple((entry.key, cast("ScalarNode", entry.value).text) for entry in self.rows(key))

    def flag(self, key: str) -> bool:
        node = self.get(key)
        return isinstance(node, ScalarNode) and node.value is True

    def number(self, key: str, default: float = 0.0) -> float:
        node = self.get(key)
        value = node.value if isinstance(node, ScalarNode) else default
        return float(value) if isinstance(value, int | float) else default

    def setting(self, key: str) -> Setting | None:
        node = self.get(key)
        return None if node is None else setting(node)

    def duration(self, key: str) -> Setting | None:
        """As `setting`, with times such as `4s` in seconds."""
        found = self.setting(key)
        if found is None:
            return None
        given = found.value
        if isinstance(given, EnvRef):
            given = EnvRef(name=given.name, default=seconds(given.default), has_default=given.has_default)
        return Located(value=seconds(given), span=found.span)


Node = Union[ScalarNode, SequenceNode, MappingNode]


def items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, SequenceNode) else ()


def entries(node: Node | None) -> tuple[Entry, ...]:
    return node.entries if isinstance(node, MappingNode) else ()


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
    if isinstance(node, ScalarNode):
        yield node
    for part in (*items(node), *(entry.value for entry in entries(node))):
        yield from scalars(part)


def setting(node: Node) -> Setting:
    """A literal, a list of literals, or a reference to the environment."""
    if isinstance(node, SequenceNode):
        return Located(value=tuple(item.value for item in node.items if isinstance(item, ScalarNode)), span=node.span)
    value = cast("ScalarNode", node).value
    return Located(value=parse_reference(value) or value, span=node.span)


_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)", re.ASCII)
_REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::([^{}]*))?\}", re.ASCII)


def seconds(value: Any) -> Any:
    """A time such as `1.5s` or `900ms` as a number of seconds; anything else as it is."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return float(match[1]) * {"s": 1.0, "ms": 0.001}[match[2]] if match else value


def parse_reference(value: Any) -> EnvRef | None:
    """The reference that `${NAME:default}` is, or `None` for any other value. An empty default is no value."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    bare = (match[2] or "").strip()
    is_quoted = len(bare) >= 2 and bare[0] == bare[-1] and bare[0] in "'\""
    return EnvRef(name=match[1], default=bare[1:-1] if is_quoted else resolve(bare), has_default=match[2] is not None)


WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?", re.ASCII)
FIRST_OF_SURPRISE = frozenset("0123456789+-.yYnNoO")
"""What a number begins with, or a word that YAML versions read differently."""
_SURPRISES = (
    (r"yes|Yes|YES|on|On|ON", "true"),
    (r"no|No|NO|off|Off|OFF", "false"),
    (r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?", phrase("a number in base 60")),
    (r"[-+]?0[0-9_]+", phrase("a number in base 8, or without its leading zero")),
    (r"[-+]?0o?[0-7_]+", phrase("a number in base 8")),
    (r"[-+]?0x[0-9a-fA-F_]+", phrase("a number in base 16")),
    (r"[-+]?0b[01_]+", phrase("a number in base 2")),
    (r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?", phrase("a number with `_` left out")),
    (r"[-+]?0[0-9]+\.[0-9]*", phrase("a number without its leading zero")),
    (r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", phrase("a number without bounds")),
)


def resolve(text: str) -> Scalar:
    """The value of an unquoted word that is no surprise."""
    if text in WORDS:
        return WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= MAX_DIGITS else text
    if _FLOAT.fullmatch(text):
        return float(text) if len(text) <= 2 * MAX_DIGITS else text
    return text


def surprise(text: str) -> str | None:
    """Tells the meaning that only some YAML readers see in the unquoted `text`; `None` when all agree."""
    if text[:1] not in FIRST_OF_SURPRISE:
        return None
    if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
        return phrase("a number that is rounded") if isinstance(resolve(text), str) else None
    return next((meaning for pattern, meaning in _SURPRISES if re.fullmatch(pattern, text)), None)
