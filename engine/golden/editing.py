"""Edits a YAML file by the places that the reader knows, so that comments, layout and quotes of the rest stay."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.core.node import Node, ScalarNode, SequenceNode
from engine.core.source import Span
from engine.pipeline.reading.compose import compose
from engine.pipeline.reading.files import line_starts

_ANCHOR = re.compile(r"&\S+\s+")

Place = tuple[int, int, int, int]
"""Where something stands, in whatever file."""


def place_of(span: Span) -> Place:
    return (span.line, span.column, span.end_line, span.end_column)


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """The characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A YAML file's text; `in_flow` are the nodes inside brackets, `shared` those that aliases repeat."""

    bom: bytes
    text: str
    starts: tuple[int, ...]
    in_flow: frozenset[Place] = frozenset()
    shared: frozenset[Place] = frozenset()

    @classmethod
    def read(cls, path: Path) -> Source:
        data = path.read_bytes()
        bom = BOM_UTF8 if data.startswith(BOM_UTF8) else b""
        text = data[len(bom) :].decode("utf-8")
        source = cls(bom=bom, text=text, starts=tuple(line_starts(text)))
        root, _ = compose(text, path.as_posix())
        found = [] if root is None else list(source.walk(root))
        counts = Counter(place_of(node.span) for node, _ in found)
        return replace(
            source,
            in_flow=frozenset(place_of(node.span) for node, in_flow in found if in_flow),
            shared=frozenset(place for place, count in counts.items() if count > 1),
        )

    def edited(self, edits: Iterable[Edit]) -> str:
        """The text with all `edits` made; none may overlap another."""
        text = self.text
        for edit in sorted(edits, reverse=True):
            text = text[: edit.start] + edit.text + text[edit.end :]
        return text

    def walk(self, node: Node, *, in_flow: bool = False) -> Iterator[tuple[Node, bool]]:
        """`node` and every node below it, each with whether it stands inside brackets."""
        yield node, in_flow
        below = _below(node)
        inside = in_flow or (bool(below) and self.text[self.begin(node)] in "[{")
        for child in below:
            yield from self.walk(child, in_flow=inside)

    def is_alone(self, node: Node) -> bool:
        """Whether editing `node` changes nothing elsewhere, as aliases of it would."""
        return not any(place_of(one.span) in self.shared for one, _ in self.walk(node))

    def between(self, span: Span) -> tuple[int, int]:
        """The offsets of a span."""
        return self._offset(span.line, span.column), self._offset(span.end_line, span.end_column)

    def _offset(self, line: int, column: int) -> int:
        return self.starts[min(line, len(self.starts)) - 1] + column - 1

    def begin(self, node: Node) -> int:
        """Finds where the value itself begins, behind an anchor."""
        start, end = self.between(node.span)
        anchor = _ANCHOR.match(self.text, start, end)
        return anchor.end() if anchor else start

    def end(self, node: Node) -> int:
        """Finds where the value itself ends: in YAML a block goes on until the next one, with all comments between."""
        below = _below(node)
        if below and self.text[self.begin(node)] not in "[{":
            return self.end(below[-1])
        start, end = self.between(node.span)
        return start + len(self.text[start:end].rstrip())

    def line_end(self, node: Node) -> int:
        """The end of the line on which the value ends, behind a comment."""
        end = self.text.find(self.newline, self.end(node))
        return len(self.text) if end < 0 else end

    @property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"


def _below(node: Node) -> Sequence[Node]:
    if isinstance(node, SequenceNode):
        return node.items
    return () if isinstance(node, ScalarNode) else [entry.value for entry in node.entries]
