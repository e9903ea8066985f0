"""Every key of every shipped YAML file is misspelt, given a value of the wrong type, and left out where it is needed.

Each time the problem must stand at that place, and a misspelling of one edit must be recognised. Keys under which an
editor's own data begins have no spelling to hold them against: they are found by name, through what refers to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.core.node import Entry, MappingNode, Node, ScalarNode, SequenceNode
from engine.core.source import Located, Problem, Span
from engine.pipeline.reading.compose import compose
from engine.pipeline.schema.golden import golden_of
from engine.pipeline.schema.load import load_pipeline
from engine.pipeline.schema.pipeline import pipeline_spec
from engine.pipeline.schema.shape import Kind, check_shape, schema_of, start_of
from engine.validation.checks import run
from engine.validation.checks.goldens import reference_problems
from engine.validation.checks.references import unknown_models
from engine.validation.checks.wrong_settings import near_persona_keys
from engine.validation.file_kinds import kind_of
from engine.validation.subject import Subject

ROOT = Path(__file__).parent.parent.parent
SHIPPED = [
    path
    for folder in ("pipelines", "replies", "kinds", "tests/golden")
    for path in sorted((ROOT / folder).rglob("*.yml"))
]
FILES = [path for path in SHIPPED if not path.name.endswith(".cassette.yml")]
OPEN = {"persona", "models", "vars", "env", "attributes", "answers", "kinds", "memory", "remember", "remembers"}
"""Blocks whose keys are names of the editor's own."""


@dataclass(frozen=True)
class Case:
    """One key with the mapping that holds it; `path` leads to that mapping."""

    path: tuple[str | int, ...]
    holder: MappingNode
    entry: Entry
    outer: Entry | None

    @property
    def known(self) -> bool:
        """Whether the schema fixes how this key is spelt."""
        parts = [part for part in self.path if isinstance(part, str)]
        inside = next((part for part in parts if part in OPEN), None)
        if inside is None:
            return True
        below = parts[parts.index(inside) + 1 :]
        # Numbers have any name, and sentences are in any language.
        if below == ["help_lines"] or (inside == "kinds" and below[1:] == ["examples"]):
            return False
        if inside == "persona":
            known = schema_of("pipeline")["$defs"]["persona"]["properties"]
            return self.entry.key.value in known if not below else below[0] in known
        return bool(below)

    @property
    def may_be_own(self) -> bool:
        """Whether a misspelling would be a key of the persona's own data, which only a warning can tell."""
        return self.path == ("persona",) and self.entry.key.value != "name"

    @property
    def is_name(self) -> bool:
        """Whether the key is a name that steps refer to."""
        return self.path == ("models",)

    @property
    def place_of_holder(self) -> Span:
        return self.outer.key.span if self.outer else start_of(self.holder.span)


def cases(node: Node, path: tuple[str | int, ...] = (), outer: Entry | None = None) -> Iterator[Case]:
    if isinstance(node, MappingNode):
        for entry in node.entries:
            yield Case(path, node, entry, outer)
            yield from cases(entry.value, (*path, entry.key.value), entry)
    if isinstance(node, SequenceNode):
        for number, item in enumerate(node.items):
            yield from cases(item, (*path, number), None)


def with_entries(node: Node, path: tuple[str | int, ...], case: Case, entries: tuple[Entry, ...]) -> Node:
    """The tree in which the mapping at `path` has `entries`, and lists hold nothing but what leads there."""
    if not path:
        assert isinstance(node, MappingNode)
        return node._replace(entries=entries)
    first, rest = path[0], path[1:]
    if isinstance(node, SequenceNode):
        return node._replace(items=(with_entries(node.items[int(first)], rest, case, entries),))
    assert isinstance(node, MappingNode)
    return node._replace(
        entries=tuple(
            Entry(entry.key, with_entries(entry.value, rest, case, entries)) if entry.key.value == first else entry
            for entry in node.entries
        ),
    )


def misspellings(word: str) -> list[str]:
    """One of each kind of slip."""
    middle = len(word) // 2
    slips = [
        word[:middle] + word[middle + 1 :],
        word[:middle] + "q" + word[middle:],
        word[:middle] + "q" + word[middle + 1 :],
    ]
    if len(word) > 1:
        slips.append(word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :])
    return [slip for slip in slips if slip and slip != word]


def wrong(node: Node) -> Node:
    """A value of a type that fits nowhere where this one does."""
    if isinstance(node, ScalarNode):
        return SequenceNode((SequenceNode((), node.span),), node.span)
    return ScalarNode(7, "7", node.span)


def mutated(root: Node, case: Case, entry: Entry | None, kind: Kind) -> list[Problem]:
    entries = tuple(
        entry if one is case.entry else one for one in case.holder.entries if entry or one is not case.entry
    )
    return check_shape(with_entries(root, case.path, case, tuple(one for one in entries if one)), kind)


def misspelt(root: Node, case: Case, kind: Kind) -> Iterator[str]:
    key = case.entry.key
    present = {entry.key.value for entry in case.holder.entries}
    for slip in misspellings(key.value):
        if slip in present:
            continue
        problems = mutated(root, case, Entry(Located(value=slip, span=key.span), case.entry.value), kind)
        here = [problem for problem in problems if problem.span == key.span]
        if not any(f"did you mean `{key.value}`?" in problem.hint for problem in here):
            yield f"{key.span}: `{slip}` for `{key.value}`: {[str(problem) for problem in problems]}"


def warned_of(root: Node, case: Case) -> Iterator[str]:
    """As `misspelt`, for keys that only the checks behind the schema can tell."""
    key = case.entry.key
    for slip in misspellings(key.value) if case.is_name or case.known else []:
        entry = Entry(Located(value=slip, span=key.span), case.entry.value)
        entries = tuple(entry if one is case.entry else one for one in case.holder.entries)
        changed = with_entries(root, case.path, case, entries)
        problems = run([near_persona_keys, unknown_models], Subject(spec=pipeline_spec(changed, ())))
        if not any(f"did you mean `{slip if case.is_name else key.value}`?" in problem.hint for problem in problems):
            yield f"{key.span}: `{slip}` for `{key.value}`: {[str(problem) for problem in problems]}"


def warned_of_golden(root: Node, case: Case, path: Path) -> Iterator[str]:
    """As `warned_of`, for the models that a golden file names: they are its pipeline's."""
    key = case.entry.key
    for slip in misspellings(key.value):
        entry = Entry(Located(value=slip, span=key.span), case.entry.value)
        entries = tuple(entry if one is case.entry else one for one in case.holder.entries)
        golden, problems = golden_of(path, with_entries(root, case.path, case, entries))
        assert golden is not None, problems
        spec, _ = load_pipeline(golden.pipeline_path)
        assert spec is not None
        found = [problem for problem in reference_problems(golden, spec) if problem.span == key.span]
        if not any(f"did you mean `{key.value}`?" in problem.hint for problem in found):
            yield f"{key.span}: `{slip}` for `{key.value}`: {[str(problem) for problem in found]}"


def mistyped(root: Node, case: Case, kind: Kind) -> Iterator[str]:
    key = case.entry.key
    problems = mutated(root, case, Entry(key, wrong(case.entry.value)), kind)
    if not any((problem.span.line, problem.span.column) in places(case) for problem in problems):
        yield f"{key.span}: wrong type of `{key.value}`: {[str(problem) for problem in problems]}"


def places(case: Case) -> set[tuple[int, int]]:
    key, value = case.entry.key.span, case.entry.value.span
    return {(key.line, key.column), (value.line, value.column)}


def left_out(root: Node, case: Case, kind: Kind) -> Iterator[str]:
    """Keys without which the schema refuses the block; the place is that of the block."""
    problems = mutated(root, case, None, kind)
    missing = [problem for problem in problems if f"missing key `{case.entry.key.value}`" in problem.message]
    if not missing or missing[0].span != case.place_of_holder:
        yield f"{case.entry.key.span}: without `{case.entry.key.value}`: {[str(problem) for problem in problems]}"


REQUIRED = {
    "pipeline": {"version", "name", "persona", "steps", "id", "kind", "backend", "prompt"},
    "replies": {"replies", "id", "say"},
    "golden": {"pipeline", "conversations"},
    "kinds": {"kinds", "examples"},
}
"""Keys that are required wherever they stand; `name` only at the top and in `persona`."""


def required(case: Case, kind: Kind) -> bool:
    key = case.entry.key.value
    if key not in REQUIRED[kind] or not case.known:
        return False
    return case.path in ((), ("persona",)) if key in {"name", "pipeline"} else True


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_mistake_in_a_key_is_found_at_its_place(path):
    text = path.read_text("utf-8")
    root, problems = compose(text, path.name)
    kind = kind_of(path, text)
    assert root is not None
    assert kind is not None
    assert problems == []
    missed: list[str] = []
    for case in cases(root):
        if case.is_name and kind == "golden":
            missed.extend(warned_of_golden(root, case, path))
        elif case.may_be_own or case.is_name:
            missed.extend(warned_of(root, case))
        elif case.known:
            missed.extend(misspelt(root, case, kind))
        if case.known:
            missed.extend(mistyped(root, case, kind))
        if required(case, kind):
            missed.extend(left_out(root, case, kind))
    assert missed == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_places_are_where_the_words_stand(path):
    text = path.read_text("utf-8")
    root, _ = compose(text, path.name)
    assert root is not None
    lines = text.split("\n")
    for case in cases(root):
        key = case.entry.key
        assert lines[key.span.line - 1][key.span.column - 1 :].lstrip("\"'").startswith(key.value)
