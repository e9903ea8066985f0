"""A JSON Schema as one quick function that says whether values fit, and nothing of what is wrong with them.

Files that fit, and parts of files that fit, need not be explained: `jsonschema`, which does that, is several times as
slow. Each keyword that the schemas use has a row in the table; one that has none is refused, so that no rule can be
overlooked. That both always agree is a property that the tests try on every mutation of the shipped files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from operator import ge, gt, le, lt
from typing import Any

Test = Callable[[Any], bool]
Compile = Callable[[Any], Test]
Make = Callable[[Any, Mapping[str, Any], Compile], Test]
"""The test of a keyword from its value, the schema in which it stands, and the function for the schemas within."""

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}
_ALL = tuple(dict.fromkeys(kind for kinds in _TYPES.values() for kind in kinds))
"""What values of YAML are made of."""

_SAY_NOTHING = frozenset(
    ("$schema", "$id", "$defs", "title", "description", "default", "errorMessage", "patternErrorMessage")
)
_SAID_WITH_OTHERS = frozenset(("type", "then", "else"))


class Acceptor:
    """Tests for the parts of one schema; `schema` must not change."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema  # Tests go by the identity of its parts, so it has to stay.
        self._definitions: Mapping[str, Any] = schema.get("$defs", {})
        self._tests: dict[int, Test] = {}
        self.fits = self.test(schema)

    def test(self, part: Any) -> Test:
        """The test of one part of the schema, made once. Raises `ValueError` at a keyword that is not known."""
        if id(part) not in self._tests:
            self._tests[id(part)] = self._made(part)
        return self._tests[id(part)]

    def _made(self, part: Any) -> Test:
        if isinstance(part, bool):
            return lambda _: part
        if "$ref" in part:
            return self._reference(part)
        table = {kind: tuple(self._of_kind(part, kind)) for kind in _ALL}

        def fits(value: Any) -> bool:
            for test in table[type(value)]:  # noqa: SIM110 - `all` with a generator takes twice as long
                if not test(value):
                    return False
            return True

        return fits

    def _reference(self, part: Mapping[str, Any]) -> Test:
        """Looked up when it is first used, as a definition may hold itself."""
        target = self._definitions[part["$ref"].removeprefix("#/$defs/")]
        beside = self._made({key: value for key, value in part.items() if key != "$ref"})
        return lambda value: self.test(target)(value) and beside(value)

    def _of_kind(self, part: Mapping[str, Any], kind: type) -> Iterator[Test]:
        """The tests that a value of this Python type has to pass."""
        names = part.get("type", list(_TYPES))
        allowed = [name for name in ([names] if isinstance(names, str) else names) if kind in _TYPES[name]]
        if not allowed:
            yield lambda _: False
            return
        if kind is float and allowed == ["integer"]:
            yield float.is_integer
        for keyword, limit in part.items():
            if keyword in _KEYWORDS:
                kinds, make = _KEYWORDS[keyword]
                if kind in kinds:
                    yield make(limit, part, self.test)
            elif keyword not in _SAY_NOTHING | _SAID_WITH_OTHERS:
                raise ValueError(f"keyword `{keyword}` has no test")


def _pattern(limit: str, _part: Mapping[str, Any], _compile: Compile) -> Test:
    search = re.compile(limit).search
    return lambda value: search(value) is not None


def _bound(holds: Callable[[Any, Any], bool], measure: Callable[[Any], Any] | None = None) -> Make:
    if measure is None:
        return lambda limit, _part, _compile: lambda value: holds(value, limit)
    return lambda limit, _part, _compile: lambda value: holds(measure(value), limit)


def _enum(limit: list[Any], _part: Mapping[str, Any], _compile: Compile) -> Test:
    # `True` equals 1 in Python, and does not in JSON.
    choices = {(isinstance(choice, bool), choice) for choice in limit}
    return lambda value: not isinstance(value, list | dict) and (isinstance(value, bool), value) in choices


def _const(limit: Any, part: Mapping[str, Any], compile_: Compile) -> Test:
    return _enum([limit], part, compile_)


def _required(limit: list[str], _part: Mapping[str, Any], _compile: Compile) -> Test:
    needed = frozenset(limit)
    return lambda value: needed <= value.keys()


def _dependent(limit: Mapping[str, list[str]], _part: Mapping[str, Any], _compile: Compile) -> Test:
    return lambda value: all(key not in value or value.keys() >= set(needed) for key, needed in limit.items())


def _properties(limit: Mapping[str, Any], part: Mapping[str, Any], compile_: Compile) -> Test:
    tests = {key: compile_(schema) for key, schema in limit.items()}
    other = compile_(part.get("additionalProperties", True))

    def fits(value: Any) -> bool:
        for key, item in value.items():  # noqa: SIM110 - as above
            if not tests.get(key, other)(item):
                return False
        return True

    return fits


def _additional(_limit: Any, part: Mapping[str, Any], compile_: Compile) -> Test:
    # Where there are `properties`, their test has seen to it.
    return (lambda _: True) if "properties" in part else _properties({}, part, compile_)


def _names(limit: Any, _part: Mapping[str, Any], compile_: Compile) -> Test:
    test = compile_(limit)
    return lambda value: all(map(test, value))


def _items(limit: Any, _part: Mapping[str, Any], compile_: Compile) -> Test:
    test = compile_(limit)
    return lambda value: all(map(test, value))


def _if(limit: Any, part: Mapping[str, Any], compile_: Compile) -> Test:
    test, then, otherwise = compile_(limit), compile_(part.get("then", True)), compile_(part.get("else", True))
    return lambda value: then(value) if test(value) else otherwise(value)


def _not(limit: Any, _part: Mapping[str, Any], compile_: Compile) -> Test:
    test = compile_(limit)
    return lambda value: not test(value)


def _all_of(limit: list[Any], _part: Mapping[str, Any], compile_: Compile) -> Test:
    tests = [compile_(schema) for schema in limit]
    return lambda value: all(test(value) for test in tests)


def _one_of(limit: list[Any], _part: Mapping[str, Any], compile_: Compile) -> Test:
    tests = [compile_(schema) for schema in limit]
    return lambda value: sum(test(value) for test in tests) == 1


_NUMBERS = (int, float)
_KEYWORDS: Mapping[str, tuple[tuple[type, ...], Make]] = {
    "pattern": ((str,), _pattern),
    "minLength": ((str,), _bound(ge, len)),
    "maxLength": ((str,), _bound(le, len)),
    "minimum": (_NUMBERS, _bound(ge)),
    "maximum": (_NUMBERS, _bound(le)),
    "exclusiveMinimum": (_NUMBERS, _bound(gt)),
    "exclusiveMaximum": (_NUMBERS, _bound(lt)),
    "minItems": ((list,), _bound(ge, len)),
    "maxItems": ((list,), _bound(le, len)),
    "items": ((list,), _items),
    "minProperties": ((dict,), _bound(ge, len)),
    "maxProperties": ((dict,), _bound(le, len)),
    "required": ((dict,), _required),
    "dependentRequired": ((dict,), _dependent),
    "properties": ((dict,), _properties),
    "additionalProperties": ((dict,), _additional),
    "propertyNames": ((dict,), _names),
    "enum": (_ALL, _enum),
    "const": (_ALL, _const),
    "if": (_ALL, _if),
    "not": (_ALL, _not),
    "allOf": (_ALL, _all_of),
    "oneOf": (_ALL, _one_of),
}
"""The Python types to whose values a keyword applies, and its test."""
