"""Compiles a JSON Schema to a quick function that tells whether values fit, without any reason.

Files that fit, and parts of files that fit, need not be explained: `jsonschema`, which does that, is several times as
slow. A keyword that has no test here is refused, so that no rule can be overlooked. That both always agree is tried on
every mutation of the shipped files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any

Test = Callable[[Any], bool]

_NUMBERS = (int, float)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": _NUMBERS,
    "number": _NUMBERS,
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}
_ALL = tuple(dict.fromkeys(kind for kinds in _TYPES.values() for kind in kinds))
"""What values of YAML are made of."""

_KEYWORDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("pattern", "minLength", "maxLength"), (str,)),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _NUMBERS),
    **dict.fromkeys(("minItems", "maxItems", "items"), (list,)),
    **dict.fromkeys(("minProperties", "maxProperties", "required", "dependentRequired", "properties"), (dict,)),
    **dict.fromkeys(("additionalProperties", "propertyNames"), (dict,)),
    **dict.fromkeys(("enum", "const", "if", "not", "allOf", "oneOf"), _ALL),
}
"""The Python types to whose values a keyword applies; its test is made in `Acceptor._keyword`."""

_NO_TEST = frozenset(("$schema", "$id", "$defs", "title", "description", "default", "type", "then", "else")) | {
    "errorMessage",
    "patternErrorMessage",
}
"""Keywords that say nothing of a value, or are tested with others."""


def _anything(_value: Any) -> bool:
    return True


def _both(one: Test, other: Test) -> Test:
    return other if one is _anything else lambda value: one(value) and other(value)


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
            return _anything if part else lambda _: False
        if "$ref" in part:
            # Looked up when it is first used, as a definition may hold itself.
            target = self._definitions[part["$ref"].removeprefix("#/$defs/")]
            beside = self._made({key: value for key, value in part.items() if key != "$ref"})
            return lambda value: self.test(target)(value) and beside(value)
        nothing: Test = _anything
        table = {kind: reduce(_both, self._of_kind(part, kind), nothing) for kind in _ALL}
        return lambda value: table[type(value)](value)

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
            if kind in _KEYWORDS.get(keyword, ()):
                yield self._keyword(keyword, limit, part)
            elif keyword not in _KEYWORDS and keyword not in _NO_TEST:
                raise ValueError(f"keyword `{keyword}` has no test")

    def _keyword(self, keyword: str, limit: Any, part: Mapping[str, Any]) -> Test:  # noqa: C901, PLR0911, PLR0912 - a row a keyword
        match keyword:
            case "pattern":
                search = re.compile(limit).search
                return lambda value: search(value) is not None
            case "minLength" | "minItems" | "minProperties":
                return lambda value: len(value) >= limit
            case "maxLength" | "maxItems" | "maxProperties":
                return lambda value: len(value) <= limit
            case "minimum":
                return lambda value: bool(value >= limit)
            case "maximum":
                return lambda value: bool(value <= limit)
            case "exclusiveMinimum":
                return lambda value: bool(value > limit)
            case "exclusiveMaximum":
                return lambda value: bool(value < limit)
            case "required":
                needed = frozenset(limit)
                return lambda value: needed <= value.keys()
            case "dependentRequired":
                return lambda value: all(value.keys() >= set(limit[key]) for key in limit if key in value)
            case "properties" | "additionalProperties":
                if keyword == "additionalProperties" and "properties" in part:
                    return _anything  # The test of the properties sees to it.
                tests = {key: self.test(schema) for key, schema in part.get("properties", {}).items()}
                other = self.test(part.get("additionalProperties", True))

                def fits(value: Mapping[str, Any]) -> bool:
                    for key, item in value.items():  # noqa: SIM110 - as above
                        if not tests.get(key, other)(item):
                            return False
                    return True

                return fits
            case "items" | "propertyNames":
                each = self.test(limit)
                return lambda value: all(map(each, value))
            case "enum" | "const":
                # `True` equals 1 in Python, and does not in JSON.
                choices = {(isinstance(one, bool), one) for one in (limit if keyword == "enum" else [limit])}
                return lambda value: not isinstance(value, list | dict) and (isinstance(value, bool), value) in choices
            case "if":
                test, then, otherwise = (
                    self.test(one) for one in (limit, part.get("then", True), part.get("else", True))
                )
                return lambda value: then(value) if test(value) else otherwise(value)
            case "not":
                refused = self.test(limit)
                return lambda value: not refused(value)
            case "allOf":
                every = [self.test(schema) for schema in limit]
                return lambda value: all(test(value) for test in every)
            case _:
                either = [self.test(schema) for schema in limit]
                return lambda value: sum(test(value) for test in either) == 1
