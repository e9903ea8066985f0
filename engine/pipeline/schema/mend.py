"""Mends a tree with mistakes, so that those behind them are found too, and a spec can be made of it.

What is misspelt is read as what was probably meant, what cannot be read is left out, and what is missing gets a
stand-in, until no change helps any more. So the rest of a reply or step with a mistake is still checked. Only files
with mistakes come here, and no plan is ever built from what this module makes of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from engine.core.node import MAX_PROBLEMS, Entry, MappingNode, Node, ScalarNode, SequenceNode, plain
from engine.core.source import Located, Problem, Span
from engine.pipeline.schema.advice import nearest
from engine.pipeline.schema.shape import Kind, Path, distinct, errors_of, problems_of, schema_of, start_of

if TYPE_CHECKING:
    from jsonschema import ValidationError

PASSES = 8
"""Times that a tree is mended: each brings to light what stood behind the last mistakes."""

STAND_IN = "?"
"""What is read where a name or a text is missing; nothing that fits a schema is called so."""

_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
"""What a number out of bounds would do is nothing that anybody meant."""

_MANY = ("object", "array")
_OF_EDITORS = ("models", "vars", "kinds")
"""Blocks whose keys are names that something may refer to: their values are never left out."""


def mend(root: Node, kind: Kind, values: Callable[[Node], Any] = plain) -> tuple[MappingNode | None, list[Problem]]:
    """A tree whose `values` have the types that a `kind` file needs, and every mistake of shape on the way to it.

    No tree where the mistakes are too many or too deep to tell what was meant.
    """
    found: list[Problem] = []
    for _ in range(PASSES):
        errors = list(errors_of(values(root), kind))
        found = distinct((*found, *(problem for error in errors for problem in problems_of(error, root))))
        if len(errors) >= MAX_PROBLEMS:
            return None, found
        mended = _Mender(errors, kind).mended(root)
        if not isinstance(mended, MappingNode) or mended == root:
            return (mended if isinstance(mended, MappingNode) else None), found
        root = mended
    return None, found


class _Mender:
    """One pass over a tree: changes what `errors` are about, the innermost first."""

    def __init__(self, errors: Sequence[ValidationError], kind: Kind) -> None:
        self._errors: dict[Path, list[ValidationError]] = {}
        for error in errors:
            self._errors.setdefault(tuple(error.absolute_path), []).append(error)
        self._ways = {path[:length] for path in self._errors for length in range(len(path) + 1)}
        self._needed = _needed(kind)

    def mended(self, node: Node, path: Path = ()) -> Node | None:
        """The node as it can be read, or `None` where it has to be left out."""
        if path not in self._ways:
            return node
        node = self._with_parts(node, path)
        # What is missing is looked for last, when misspelt keys have their right names.
        for error in sorted(self._errors.get(path, ()), key=lambda one: one.validator == "required"):
            changed = self._changed(node, path, error)
            if changed is None:
                return None
            node = changed
        return node

    def _with_parts(self, node: Node, path: Path) -> Node:
        if isinstance(node, SequenceNode):
            parts = [self.mended(item, (*path, place)) for place, item in enumerate(node.items)]
            kept = tuple(part for part in parts if part is not None)
            return node._replace(items=kept, flagged=node.flagged or len(kept) < len(parts))
        if isinstance(node, MappingNode):
            values = [(entry.key, self.mended(entry.value, (*path, entry.key.value))) for entry in node.entries]
            entries = tuple(Entry(key, value) for key, value in values if value is not None)
            return node._replace(entries=entries, flagged=node.flagged or len(entries) < len(values))
        return node

    def _changed(self, node: Node, path: Path, error: ValidationError) -> Node | None:
        schema: Any = error.schema
        rule, is_name = error.validator, "propertyNames" in error.absolute_schema_path
        if isinstance(node, MappingNode) and (rule == "additionalProperties" or (rule == "enum" and is_name)):
            return _renamed(node, list(schema["enum"] if is_name else schema.get("properties", {})))
        if isinstance(node, MappingNode) and rule in ("required", "dependentRequired"):
            return _completed(node, error, schema)
        is_empty = isinstance(node, ScalarNode) and node.value is None
        if rule == "type" and schema.get("type") == "array" and not is_empty:
            return SequenceNode((node,), node.span, flagged=True)
        if not isinstance(node, ScalarNode) and rule not in ("type", "enum", "const", "minProperties"):
            return node
        # What is written wrongly still stands for a text or number, as far as its type goes.
        if isinstance(node, ScalarNode) and rule not in _BOUNDS and not is_empty and schema.get("type") not in _MANY:
            return _word(node, path, error)
        return self._stand_in(node, path, schema)

    def _stand_in(self, node: Node, path: Path, schema: Mapping[str, Any]) -> Node | None:
        """Something of the right type where it is needed; nothing in lists and for what may be left out."""
        named = len(path) > 1 and path[-2] in _OF_EDITORS and isinstance(path[-1], str)
        needed = named or (bool(path) and path[-1] in self._needed)
        return _stand_in(schema, start_of(node.span)) if needed else None


def _renamed(node: MappingNode, allowed: Sequence[str]) -> MappingNode:
    """Puts the allowed key in the place of each that is near one, and leaves out the others."""
    present = {entry.key.value for entry in node.entries}
    entries: list[Entry] = []
    for entry in node.entries:
        free = [name for name in allowed if name not in present]
        word = entry.key.value if entry.key.value in allowed else nearest(entry.key.value, free)
        if word is not None:
            present.add(word)
            entries.append(Entry(Located(value=word, span=entry.key.span), entry.value))
    return node._replace(entries=tuple(entries), flagged=node.flagged or len(entries) < len(node.entries))


def _completed(node: MappingNode, error: ValidationError, schema: Mapping[str, Any]) -> MappingNode:
    limit: Any = error.validator_value
    present = {entry.key.value for entry in node.entries}
    needed: list[str] = limit
    if error.validator == "dependentRequired":
        needed = [name for key, names in limit.items() if key in present for name in names]
    known = schema.get("properties", {})
    for key in [name for name in needed if name not in present]:
        unknown = (one for one in node.entries if one.key.value not in known)
        near = next((one for one in unknown if nearest(one.key.value, [key])), None)
        value = near.value if near else _stand_in(known.get(key, True), start_of(node.span))
        entry = Entry(Located(value=key, span=near.key.span if near else start_of(node.span)), value)
        node = node._replace(entries=(*(one for one in node.entries if one is not near), entry))
    return node


def _word(node: ScalarNode, path: Path, error: ValidationError) -> ScalarNode:
    """A step's kind decides what else belongs there, so a misspelt one is read as what was meant."""
    if path[-1:] != ("kind",) or error.validator != "enum":
        return node
    choices: Any = error.validator_value
    meant = nearest(node.source, [str(choice) for choice in choices])
    return node if meant is None else node._replace(value=meant, source=meant, flagged=True)


def _stand_in(schema: Any, span: Span) -> Node:
    part = schema if isinstance(schema, dict) else {}
    if part.get("type") == "array":
        return SequenceNode((), span, flagged=True)
    if part.get("type") == "object":
        known = part.get("properties", {})
        entries = [
            Entry(Located(value=key, span=span), _stand_in(known.get(key, True), span))
            for key in part.get("required", ())
        ]
        return MappingNode(tuple(entries), span, flagged=True)
    return ScalarNode(STAND_IN, STAND_IN, span, flagged=True)


@cache
def _needed(kind: Kind) -> frozenset[str]:
    """Every key that is required somewhere in the schema."""
    return frozenset(_required(schema_of(kind)))


def _required(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (name for name in part.get("required", ()) if isinstance(name, str))
        for inner in part.values():
            yield from _required(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _required(inner)
