"""What the mistakes in a file leave in doubt, so that later checks say nothing that only follows from them.

A mistake is known by its place alone. Doubt is generous: where a name may be missing, nobody is told that it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from typing import Literal

from engine.core.node import Entry, MappingNode, Node, ScalarNode, SequenceNode
from engine.core.source import Problem, Span
from engine.pipeline.schema.mend import STAND_IN
from engine.steps.kinds import STEP_KINDS, step_kind

Named = Literal["reply", "step", "model", "vars", "persona", "kind"]
ALL: frozenset[Named] = frozenset(("reply", "step", "model", "vars", "persona", "kind"))

_HARMLESS = frozenset(("id", "say", "examples", "counterexamples"))
"""Keys of a reply that do not decide when it is said."""


class Doubt:
    """Questions about a mended tree in which `problems` were found; `lost` where the reader left something out."""

    def __init__(self, root: Node, problems: Sequence[Problem]) -> None:
        self._root = root
        errors = [problem for problem in problems if problem.severity == "error"]
        self._places = sorted((problem.span.line, problem.span.column) for problem in errors)
        self._lost = any(problem.code.startswith("P1") and problem.code != "P110" for problem in errors)

    def replies(self) -> frozenset[Span]:
        """The spans of the replies of which nobody knows when they would be said."""
        nodes = _parts(_value(self._root, "replies")) if self._places else ()
        return frozenset(node.span for node in nodes if self._outside(node, _HARMLESS) or node.flagged)

    def reply_names(self) -> frozenset[Named]:
        """What a file of replies may lack."""
        nodes = _parts(_value(self._root, "replies"))
        lost = self._lost or self._at_top(("replies",)) or self._unnamed(nodes)
        return frozenset(("reply",)) if self._places and lost else frozenset()

    def kind_names(self) -> frozenset[Named]:
        """What a file of kinds may lack."""
        return frozenset(("kind",)) if self._places else frozenset()

    def models(self) -> frozenset[Span]:
        """The spans of the models that may lack a setting only because of a mistake."""
        models = _value(self._root, "models")
        entries = models.entries if isinstance(models, MappingNode) else ()
        return frozenset(entry.value.span for entry in entries if self._in(_whole(entry)))

    def step_flow(self) -> bool:
        """Whether a step may be another than was meant, or missing."""
        return bool(self._places) and (self._lost or self._at_top(("steps",)) or self._in_entry("steps"))

    def names(self) -> frozenset[Named]:
        """What a pipeline may lack."""
        if not self._places:
            return frozenset()
        return ALL if self._lost or self._at_top(None) else frozenset(self._names())

    def _names(self) -> Iterator[Named]:
        steps = _parts(_value(self._root, "steps"))
        if self._in_entry("replies"):
            yield "reply"
        if self._in_entry("kinds"):
            yield "kind"
        if self._unnamed(steps):
            yield "step"
        if not isinstance(_value(self._root, "models"), MappingNode) and self._in_entry("models"):
            yield "model"
        if any(self._in(step.span) for step in steps if _may_set(_word(step, "kind"))):
            yield "vars"
        if _value(self._root, "persona") is None or self._in_entry("persona"):
            yield "persona"

    def _at_top(self, needed: Collection[str] | None) -> bool:
        """Whether a problem stands outside all blocks of the file, or one of the `needed` blocks is not there."""
        root = self._root
        if not isinstance(root, MappingNode):
            return True
        blocks = [root.get(name) for name in needed or ()]
        missing = any(block is None or block.flagged for block in blocks)
        return missing or self._outside(root, None)

    def _unnamed(self, nodes: Sequence[MappingNode]) -> bool:
        return any(
            _word(node, "id") in (None, STAND_IN) or any(self._in(_whole(entry)) for entry in _entries(node, ("id",)))
            for node in nodes
        )

    def _outside(self, node: MappingNode, keys: Collection[str] | None) -> bool:
        """Whether a problem stands in `node`, but not in the entries with these keys (`None`: in any entry)."""
        spans = [_whole(entry) for entry in _entries(node, keys)]
        return not all(any(_holds(span, place) for span in spans) for place in self._in(node.span))

    def _in_entry(self, key: str) -> bool:
        found = self._root.entry(key) if isinstance(self._root, MappingNode) else None
        return found is not None and bool(self._in(_whole(found)))

    def _in(self, span: Span) -> Sequence[tuple[int, int]]:
        first = bisect_left(self._places, (span.line, span.column))
        return self._places[first : bisect_left(self._places, (span.end_line, span.end_column))]


def _may_set(kind: str | None) -> bool:
    """Whether steps of this kind set variables; one that nobody knows may."""
    return kind is None or kind not in STEP_KINDS or "vars" in step_kind(kind).SCHEMA["properties"]


def _value(root: Node, key: str) -> Node | None:
    return root.get(key) if isinstance(root, MappingNode) else None


def _parts(node: Node | None) -> Sequence[MappingNode]:
    return [item for item in node.items if isinstance(item, MappingNode)] if isinstance(node, SequenceNode) else ()


def _entries(node: MappingNode, keys: Collection[str] | None) -> Sequence[Entry]:
    return [entry for entry in node.entries if keys is None or entry.key.value in keys]


def _word(node: MappingNode, key: str) -> str | None:
    value = node.get(key)
    return value.source if isinstance(value, ScalarNode) else None


def _holds(span: Span, place: tuple[int, int]) -> bool:
    return (span.line, span.column) <= place < (span.end_line, span.end_column)


def _whole(entry: Entry) -> Span:
    """From the key to the end of its value."""
    start = entry.key.span
    end = max(start, entry.value.span, key=lambda span: (span.end_line, span.end_column))
    return Span(file=start.file, line=start.line, column=start.column, end_line=end.end_line, end_column=end.end_column)
