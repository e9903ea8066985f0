"""Tells which names and parts a file's mistakes put in doubt, so that checks report nothing that follows from them.

A mistake is known by its place alone. Doubt is generous: where a name may be missing, nobody is told that it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from typing import Literal

from engine.core.node import Entry, MappingNode, Node, ScalarNode
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
        self._root = root if isinstance(root, MappingNode) else MappingNode((), root.span)
        errors = [problem for problem in problems if problem.severity == "error"]
        self._places = sorted((problem.span.line, problem.span.column) for problem in errors)
        self._lost = any(problem.code.startswith("P1") and problem.code != "P110" for problem in errors)
        self._lost |= bool(errors) and not isinstance(root, MappingNode)

    def replies(self) -> frozenset[Span]:
        """The spans of the replies of which nobody knows when they would be said."""
        nodes = self._parts("replies") if self._places else ()
        return frozenset(node.span for node in nodes if self._outside(node, _HARMLESS) or node.flagged)

    def reply_names(self) -> frozenset[Named]:
        """The names that a file of replies may lack."""
        lost = self._lost or self._at_top(("replies",)) or self._unnamed(self._parts("replies"))
        return frozenset(("reply",)) if self._places and lost else frozenset()

    def kind_names(self) -> frozenset[Named]:
        """The names that a file of kinds may lack."""
        return frozenset(("kind",)) if self._places else frozenset()

    def models(self) -> frozenset[Span]:
        """The spans of the models that may lack a setting only because of a mistake."""
        return frozenset(entry.value.span for entry in self._root.rows("models") if self._in(_whole(entry)))

    def step_flow(self) -> bool:
        """Tells whether a step may be missing, or another than was meant."""
        return bool(self._places) and (self._lost or self._at_top(("steps",)) or self._in_entry("steps"))

    def names(self) -> frozenset[Named]:
        """The names that a pipeline may lack."""
        if not self._places:
            return frozenset()
        if self._lost or self._at_top(()):
            return ALL
        steps, persona = self._parts("steps"), self._root.get("persona")
        models = self._root.get("models")
        lacks: dict[Named, bool] = {
            "reply": self._in_entry("replies"),
            "kind": self._in_entry("kinds"),
            "step": self._unnamed(steps),
            "model": not isinstance(models, MappingNode) and self._in_entry("models"),
            "vars": any(self._in(step.span) for step in steps if _may_set(_word(step, "kind"))),
            "persona": persona is None or self._in_entry("persona"),
        }
        return frozenset(name for name, lacking in lacks.items() if lacking)

    def _parts(self, key: str) -> Sequence[MappingNode]:
        return [item for item in self._root.items(key) if isinstance(item, MappingNode)]

    def _at_top(self, needed: Collection[str]) -> bool:
        """Tells whether a problem stands outside all blocks of the file, or one of the `needed` blocks is not there."""
        blocks = [self._root.get(name) for name in needed]
        return any(block is None or block.flagged for block in blocks) or self._outside(self._root, None)

    def _unnamed(self, nodes: Sequence[MappingNode]) -> bool:
        ids = [node.entry("id") for node in nodes]
        return any(_word(node, "id") in (None, STAND_IN) for node in nodes) or any(
            self._in(_whole(entry)) for entry in ids if entry
        )

    def _outside(self, node: MappingNode, keys: Collection[str] | None) -> bool:
        """Tells whether a problem stands in `node`, but not in the entries with these keys (`None`: in any entry)."""
        spans = [_whole(entry) for entry in node.entries if keys is None or entry.key.value in keys]
        stretches = [((span.line, span.column), (span.end_line, span.end_column)) for span in spans]
        return not all(any(start <= place < end for start, end in stretches) for place in self._in(node.span))

    def _in_entry(self, key: str) -> bool:
        entry = self._root.entry(key)
        return entry is not None and bool(self._in(_whole(entry)))

    def _in(self, span: Span) -> Sequence[tuple[int, int]]:
        first = bisect_left(self._places, (span.line, span.column))
        return self._places[first : bisect_left(self._places, (span.end_line, span.end_column))]


def _may_set(kind: str | None) -> bool:
    """Tells whether steps of this kind may set variables; unknown kinds may."""
    return kind is None or kind not in STEP_KINDS or "vars" in step_kind(kind).SCHEMA["properties"]


def _word(node: MappingNode, key: str) -> str | None:
    value = node.get(key)
    return value.source if isinstance(value, ScalarNode) else None


def _whole(entry: Entry) -> Span:
    """The span from the key to the end of its value."""
    start = entry.key.span
    end = max(start, entry.value.span, key=lambda span: (span.end_line, span.end_column))
    return Span(file=start.file, line=start.line, column=start.column, end_line=end.end_line, end_column=end.end_column)
