"""The quick test of shape and `jsonschema` are of one opinion about every file, and every way of spoiling one.

Each place of the shipped files and of the examples of every key is tried once for each shape of its path, with values
of all types and sizes, with keys too many and too few; lists are cut down to the item that leads there.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from engine.core.node import plain
from engine.pipeline.reading.compose import compose
from engine.pipeline.schema.accept import Acceptor
from engine.pipeline.schema.shape import acceptor_of, check_shape, schema_of
from engine.validation.file_kinds import kind_of

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("pipelines", "replies", "kinds", "tests/golden", "tests/configs/good", "tests/configs/bad")
FILES = [
    path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.yml"))
    if not path.name.endswith(".cassette.yml")
]
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    1.0,
    0.5,
    2.5,
    80,
    101,
    10**7,
    1e99,
    "",
    "\u3000\n",
    "a",
    "a\n",
    "Ab",
    "4s",
    "1.5s\n",
    "900ms",
    "${A}",
    "${A:4s}",
    "${a:1}",
    "x${A:1}y",
    "ja",
    "empty",
    "2026-11-20 19:30",
    "x" * 61,
    "x" * 2001,
    "x" * 4001,
    [],
    ["a"],
    [[]],
    [None],
    {},
    {"a": 1},
    {"text": "a", "weight": 0},
    {"contains": "a"},
    {"contains": "a", "regex": "b"},
    {"if": "a"},
    {"if": "a", "reason": "b"},
    {"low_confidence": 0.5},
    {"error": "timeout", "says": "a"},
)
Path_ = tuple[str | int, ...]


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def spoilt(value: Any, path: Path_) -> Iterator[Any]:
    """The document with something else at `path`; of each list on the way, only the item that leads there."""
    if path:
        key, rest = path[0], path[1:]
        for part in spoilt(value[key], rest):
            yield {**short(value), key: part} if isinstance(value, dict) else [part]
        return
    yield from ODD
    if isinstance(value, dict):
        yield {**short(value), "qqq": 1}
        for key in value:
            yield {name: item for name, item in short(value).items() if name != key}
    if isinstance(value, list):
        yield [*short(value), None]
        yield short(value) * 1001


def short(value: Any) -> Any:
    """The document with two items of each list at most."""
    if isinstance(value, dict):
        return {key: short(item) for key, item in value.items()}
    return [short(item) for item in value[:2]] if isinstance(value, list) else value


def around(whole: Any, place: Path_, required: Sequence[str]) -> Any:
    """The document with what it must have and what leads to `place`: what else is right beside it costs time alone."""
    if not place or not isinstance(whole, dict):
        return whole
    first = {key: value[:1] if isinstance(value, list) else value for key, value in whole.items() if key in required}
    return {**first, place[0]: whole[place[0]]}


def shape(value: Any, path: Path_, keys: Container[str]) -> Any:
    """Paths with the same names of keys through values of the same keys are tried once; those that are not of the
    schema's `keys` are names that an editor gives, and all alike.
    """

    def named(part: str | int) -> str:
        return "-" if isinstance(part, int) else part if part in keys else "*"

    names = tuple(map(named, path))
    for part in path:
        value = value[part]
    return names, tuple(sorted(set(map(named, value)))) if isinstance(value, dict) else type(value).__name__


def keys_of(schema: Any) -> Iterator[str]:
    """The names of all properties in a schema."""
    for name, inner in schema.items() if isinstance(schema, dict) else ():
        if name == "properties":
            yield from inner
        yield from keys_of(inner)
    for inner in schema if isinstance(schema, list) else ():
        yield from keys_of(inner)


def test_both_are_of_one_opinion():
    tried: set[Any] = set()
    counted = {True: 0, False: 0}
    authorities = {kind: Draft202012Validator(schema_of(kind)) for kind in ("pipeline", "replies", "kinds", "golden")}
    keys = {kind: frozenset(keys_of(schema_of(kind))) for kind in authorities}
    for path in FILES:
        text = path.read_text("utf-8", "replace")
        kind, (root, _) = kind_of(path, text), compose(text, path.name)
        if kind is None or root is None:
            continue
        whole = plain(root)
        assert (check_shape(root, kind) == []) or not authorities[kind].is_valid(whole), path
        for place in places(whole):
            key = (kind, shape(whole, place, keys[kind]))
            if key in tried:
                continue
            tried.add(key)
            for document in spoilt(around(whole, place, schema_of(kind)["required"]), place):
                fits = acceptor_of(kind).fits(document)
                counted[fits] += 1
                assert fits == authorities[kind].is_valid(document), (path, place, document)
    assert min(counted.values()) > 1000, counted


@pytest.mark.parametrize("kind", ["pipeline", "replies", "golden"])
def test_a_keyword_without_a_test_is_refused(kind):
    schema = {**schema_of(kind), "minContains": 1}
    with pytest.raises(ValueError, match="minContains"):
        Acceptor(schema)


def test_what_equals_in_python_alone_is_not_equal():
    assert Acceptor({"const": 1}).fits(1.0)
    assert not Acceptor({"const": 1}).fits(value=True)
    assert not Acceptor({"enum": [0]}).fits(value=False)
    assert Acceptor({"type": "integer"}).fits(2.0)
    assert not Acceptor({"type": "integer"}).fits(2.5)
