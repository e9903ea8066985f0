"""Checks a tree of nodes against a JSON Schema, and reports in the editor's words what does not fit.

The schemas carry the words for what is expected (`errorMessage`, `patternErrorMessage`, which code editors read as
well); this module adds the place, what was found, and the nearest allowed word.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from engine.core.language import phrase
from engine.core.node import MAX_PROBLEMS, Entry, MappingNode, Node, ScalarNode, SequenceNode, plain
from engine.core.source import Problem, Span
from engine.guardrails.masks import schema_of_masks
from engine.models.registry import schema_of_models
from engine.pipeline.schema.accept import Acceptor
from engine.pipeline.schema.messages import Found, explain
from engine.steps.kinds import complete_schema

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

Kind = Literal["pipeline", "replies", "kinds", "golden"]
Path = tuple[str | int, ...]


@cache
def schema_of(kind: Kind) -> dict[str, Any]:
    """The JSON Schema of one kind of file; what it says of models and steps is what their tables say.

    The files hold the same, for code editors: `python -m tools.reference` writes them.
    """
    text = files("engine.pipeline.schema").joinpath(f"{kind}.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    if kind == "pipeline":
        schema["$defs"]["model"]["properties"] = schema_of_models()
        complete_schema(schema["$defs"])
        schema["properties"]["mask"] = schema_of_masks()
    return schema


def check_shape(root: Node, kind: Kind) -> list[Problem]:
    """Every place where `root` does not have the shape of a `kind` file; values flagged by the reader are left out."""
    return distinct(problem for error in errors_of(plain(root), kind) for problem in problems_of(error, root))


def errors_of(instance: Any, kind: Kind) -> Iterator[ValidationError]:
    """Yields the first errors of `jsonschema` for an instance that does not fit."""
    return (
        iter(()) if acceptor_of(kind).fits(instance) else islice(_validator(kind).iter_errors(instance), MAX_PROBLEMS)
    )


@cache
def acceptor_of(kind: Kind) -> Acceptor:
    """The quick test whether values have the shape of a `kind` file."""
    schema = schema_of(kind)
    definitions = schema["$defs"]
    endless = {name for name, part in definitions.items() if f'"#/$defs/{name}"' in json.dumps(part)}
    return Acceptor(_inlined(schema, {name: definitions[name] for name in definitions.keys() - endless}))


@cache
def _validator(kind: Kind) -> Validator:
    """The validator that explains a refusal; accepted items of lists are passed over."""
    from jsonschema import Draft202012Validator, validators

    acceptor = acceptor_of(kind)

    def items(validator: Any, part: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        for place, item in enumerate(instance if isinstance(instance, list) else ()):
            if not acceptor.test(part)(item):
                yield from validator.descend(item, part, path=place)

    extend: Any = validators.extend
    explaining: Validator = extend(Draft202012Validator, {"items": items})(acceptor.schema)
    return explaining


def _inlined(part: Any, definitions: Mapping[str, Any]) -> Any:
    """`part` with references replaced by what `definitions` has for them: looking one up for each value takes longer
    than checking it. A keyword beside a reference is the narrower one and replaces it.
    """
    if isinstance(part, list):
        return [_inlined(item, definitions) for item in part]
    if not isinstance(part, dict):
        return part
    name = str(part.get("$ref", "")).removeprefix("#/$defs/")
    own = {key: _inlined(value, definitions) for key, value in part.items() if name not in definitions or key != "$ref"}
    return {**_inlined(definitions[name], definitions), **own} if name in definitions else own


def problems_of(error: ValidationError, root: Node) -> Iterator[Problem]:
    """An error in the editor's words; none where the reader has told of the place before."""
    trail = _trail(root, tuple(error.absolute_path))
    entry, node = trail[-1]
    if node.flagged:
        return
    # The caret stands at a scalar itself, the key of anything larger, or the first character of a list's item.
    empty = (node.span.line, node.span.column) == (node.span.end_line, node.span.end_column)
    place = entry.key.span if entry else start_of(node.span)
    if isinstance(node, ScalarNode) and not empty:
        place = node.span
    yield from explain(Found(error=error, node=node, span=place, where=_where(trail)))


def _trail(root: Node, path: Path) -> list[tuple[Entry | None, Node]]:
    """The nodes from the root to `path`, each with the entry that holds it where a mapping does."""
    trail: list[tuple[Entry | None, Node]] = [(None, root)]
    for part in path:
        node = trail[-1][1]
        entry = node.entry(str(part)) if isinstance(node, MappingNode) else None
        if entry is not None:
            trail.append((entry, entry.value))
        elif isinstance(node, SequenceNode) and isinstance(part, int):
            trail.append((None, node.items[part]))
        else:
            break
    return trail


def start_of(span: Span) -> Span:
    """The first character of `span`."""
    return Span(file=span.file, line=span.line, column=span.column, end_line=span.line, end_column=span.column + 1)


def _where(trail: list[tuple[Entry | None, Node]]) -> str:
    """The named thing that the place belongs to, as `reply `greet``; empty for the file itself."""
    section = trail[1][0].key.value if len(trail) > 1 and trail[1][0] else ""
    if section not in _NAMED or len(trail) < 3:
        return f"`{section}`" if section else ""
    entry, node = trail[2]
    if entry:
        return phrase(_NAMED[section], name=entry.key.value)
    name = node.get("id") if isinstance(node, MappingNode) else None
    if isinstance(name, ScalarNode) and name.source and section in ("replies", "steps"):
        return phrase(_NAMED[section], name=name.source)
    if section == "replies" and isinstance(node, MappingNode):
        return phrase("a reply")
    return phrase("a step") if section == "steps" else f"`{section}`"


_NAMED = {
    "replies": phrase("reply `{name}`"),
    "steps": phrase("step `{name}`"),
    "models": phrase("model `{name}`"),
    "kinds": phrase("kind `{name}`"),
}


def distinct(problems: Iterable[Problem]) -> list[Problem]:
    """One problem for each place and code; and no missing key where a misspelling of it was found beside."""
    kept: dict[tuple[Span, str, str], Problem] = {}
    for problem in problems:
        key = (problem.span, problem.code, problem.message if problem.code == "P201" else "")
        kept.setdefault(key, problem)
    return sorted(kept.values(), key=lambda problem: problem.sort_key)
