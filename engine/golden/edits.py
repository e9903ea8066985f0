"""From a difference to edits of the text that expects something else: where, and what to write there instead."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, cast

from engine.core.source import Span
from engine.golden.emit import Style, flow, scalar
from engine.golden.result import Difference
from engine.pipeline.reading.compose import compose
from engine.pipeline.reading.files import line_starts
from engine.pipeline.reading.node import MappingNode, Node, ScalarNode, SequenceNode, plain

_ANCHOR = re.compile(r"&\S+\s+")
_HEAD = re.compile(r"[|>][-+0-9]*((?:[ \t]+#[^\r\n]*)?)")
"""How a block of text begins; a comment may stand there."""
_QUOTES: Mapping[str, Style] = {"'": "single", '"': "double"}


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
    """A golden file's text; `in_flow` are the nodes inside brackets, `shared` those that aliases repeat."""

    text: str
    starts: tuple[int, ...]
    in_flow: frozenset[Place]
    shared: frozenset[Place]
    bare: frozenset[Place]

    @classmethod
    def read(cls, text: str, name: str) -> Source:
        root, _ = compose(text, name)
        starts = tuple(line_starts(text))
        found = [] if root is None else list(_walk(root, text, starts, in_flow=False))
        counts = Counter(place_of(node.span) for node, _, _ in found)
        return cls(
            text=text,
            starts=starts,
            in_flow=frozenset(place_of(node.span) for node, in_flow, _ in found if in_flow),
            shared=frozenset(place for place, count in counts.items() if count > 1),
            bare=frozenset(
                place_of(node.span) for node, _, key in found if key == "expect" and isinstance(node, ScalarNode)
            ),
        )

    @classmethod
    def plain(cls, text: str) -> Source:
        """Any text, for edits by place alone."""
        nothing: frozenset[Place] = frozenset()
        return cls(text=text, starts=tuple(line_starts(text)), in_flow=nothing, shared=nothing, bare=nothing)

    def between(self, span: Span) -> tuple[int, int]:
        """The offsets of a span."""
        start = _offset(self.starts, span.line, span.column)
        return start, _offset(self.starts, span.end_line, span.end_column)

    def is_alone(self, difference: Difference) -> bool:
        """Whether editing this expectation changes no other."""
        return not any(place_of(span) in self.shared for span in _spans(difference.expectation.node))

    def begin(self, node: Node) -> int:
        """Where the value itself begins, behind an anchor."""
        start, end = self.between(node.span)
        anchor = _ANCHOR.match(self.text, start, end)
        return anchor.end() if anchor else start

    def end(self, node: Node) -> int:
        """Where the value itself ends: a block goes on until the next one for YAML, with all comments between."""
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


def apply(source: Source, edits: Iterable[Edit]) -> str:
    """The text with all `edits` made; none may overlap another."""
    text = source.text
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def edits_of(difference: Difference, source: Source) -> Iterator[Edit]:
    """What to change so that the expectation is what came."""
    expectation, value = difference.expectation, difference.value
    node = expectation.node
    if isinstance(node, ScalarNode):
        new = "{reply: null}" if value is None and place_of(node.span) in source.bare else None
        yield _replaced(node, value, source) if new is None else Edit(source.begin(node), source.end(node), new)
    elif expectation.key == "similar" and isinstance(node, MappingNode):
        yield _replaced(cast("Node", node.get("to")), value["to"], source)
    elif expectation.key == "remembers" and isinstance(node, MappingNode):
        for entry in node.entries:
            if plain(entry.value) != value[entry.key.value]:
                yield _replaced(entry.value, value[entry.key.value], source)
    elif (expectation.key == "one_of" and isinstance(node, SequenceNode)) or isinstance(node, SequenceNode):
        yield from _rewritten(node, value, source)


def _replaced(node: Node, value: Any, source: Source) -> Edit:
    start, end = source.begin(node), source.end(node)
    old = source.text[start:end]
    head = _HEAD.match(old)
    comment = head[1] if head else ""
    if old[:1] == "|" and isinstance(value, str) and "\n" in value and value == value.strip():
        return Edit(start, end, _literal(old, value, comment, source.newline))
    style = _QUOTES.get(old[:1], "plain")
    return Edit(start, end, scalar(value, style=style, flow=place_of(node.span) in source.in_flow) + comment)


def _literal(old: str, value: str, comment: str, newline: str) -> str:
    """`value` after `|`, indented as the text before it was."""
    indent = re.search(r"\n([ ]*)\S", old)
    lines = [f"{indent[1] if indent else '  '}{line}" if line else "" for line in value.split("\n")]
    return newline.join([f"|-{comment}", *lines])


def _rewritten(node: SequenceNode, value: list[Any], source: Source) -> Iterator[Edit]:
    """In a list of lines, the items that stay keep their place, and every item its comments."""
    start, end = source.begin(node), source.end(node)
    if source.text[start] == "[" or not value:
        # A list between the brackets' place and its key's column would not belong to the key.
        lead = "  " if source.text[start] != "[" else ""
        yield Edit(start, end, lead + flow(value))
        return
    items, between = node.items, source.newline + " " * (node.span.column - 1)
    before, after = [flow(plain(item)) for item in items], [flow(item) for item in value]
    for _, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        both = min(j - i, m - k)
        for item, old, new in zip(items[i:j], before[i:j], after[k:m], strict=False):
            if old != new:
                yield Edit(source.begin(item), source.end(item), new)
        added = [f"- {new}" for new in after[k + both : m]]
        if added and i + both:
            place = source.line_end(items[i + both - 1])
            yield Edit(place, place, "".join(between + item for item in added))
        elif added:
            yield Edit(start, start, "".join(item + between for item in added))
        gone = source.line_end(items[j - 1]) if i + both < j else start
        if gone > start and i + both:
            yield Edit(source.line_end(items[i + both - 1]), gone, "")
        elif gone > start:
            yield Edit(start, gone + len(source.text[gone:]) - len(source.text[gone:].lstrip()), "")


def _spans(node: Node) -> Iterator[Span]:
    yield node.span
    for child in _below(node):
        yield from _spans(child)


def _below(node: Node) -> Sequence[Node]:
    if isinstance(node, SequenceNode):
        return node.items
    return () if isinstance(node, ScalarNode) else [entry.value for entry in node.entries]


def _walk(
    node: Node, text: str, starts: tuple[int, ...], *, in_flow: bool, key: str = ""
) -> Iterator[tuple[Node, bool, str]]:
    """Every node below `node` and itself, whether it stands inside brackets, and the key it is the value of."""
    yield node, in_flow, key
    if isinstance(node, ScalarNode):
        return
    begins = _ANCHOR.sub("", text[_offset(starts, node.span.line, node.span.column) :][:200], count=1)
    inside = in_flow or begins[:1] in ("{", "[")
    if isinstance(node, SequenceNode):
        for item in node.items:
            yield from _walk(item, text, starts, in_flow=inside)
    else:
        for entry in node.entries:
            yield from _walk(entry.value, text, starts, in_flow=inside, key=entry.key.value)


def _offset(starts: tuple[int, ...], line: int, column: int) -> int:
    return (starts[line - 1] if line <= len(starts) else starts[-1]) + column - 1
