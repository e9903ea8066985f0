"""From an error of the JSON Schema validator to problems in the editor's words: found, expected, what to write.

One function for each keyword of the schemas, in the table at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.core.node import MappingNode, Node, ScalarNode, SequenceNode, entries
from engine.core.source import Problem, Span
from engine.pipeline.reading.files import shortened
from engine.pipeline.schema.advice import bound_hint, form_hint, hint, nearest, type_hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An error of the validator with the node it is about, the place to show, and what is around it.

    `context` reads as ` in reply `greet``; the error is a `jsonschema.ValidationError`, whose fields are loosely typed.
    """

    error: Any
    node: Node
    span: Span
    context: str

    @property
    def schema(self) -> Any:
        return self.error.schema

    @property
    def limit(self) -> Any:
        """The value of the keyword that was not met."""
        return self.error.validator_value

    def problem(self, code: str, message: str, hint: str = "", span: Span | None = None) -> Problem:
        return Problem(code=code, message=message, span=span or self.span, hint=hint)

    @property
    def of(self) -> str:
        """Names the key, for when the caret does not stand under it: ` for `say` in reply `greet``."""
        path = self.error.absolute_path
        last = next((part for part in reversed(path) if isinstance(part, str)), None)
        return f" for `{last}`{self.context.removesuffix(f' in `{last}`')}" if last else ""

    @property
    def keys(self) -> list[str]:
        """The keys that stand there."""
        return [entry.key.value for entry in entries(self.node)]

    @property
    def known(self) -> list[str]:
        """The keys that may stand there."""
        names = self.schema.get("propertyNames", {}).get("enum")
        return list(names or self.schema.get("properties", {}))

    def absent(self, allowed: Iterable[str]) -> list[str]:
        """The `allowed` keys that do not stand there yet, or all where they all do."""
        return [key for key in allowed if key not in self.keys] or list(allowed)


def describe(node: Node) -> str:
    """What stands there, as a person would say it."""
    match node:
        case SequenceNode():
            return "a list"
        case MappingNode():
            return "keys with values"
        case ScalarNode(value=None):
            return "nothing"
        case ScalarNode(value=bool()):
            return f"`{node.source}`"
        case ScalarNode(value=int() | float()):
            return f"number `{node.source}`"
        case _:
            return f"text `{shortened(node.source)}`"


_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys with values",
    "null": "nothing",
}

_BOUNDS = {
    "minimum": "at least {0}",
    "maximum": "at most {0}",
    "exclusiveMinimum": "more than {0}",
    "exclusiveMaximum": "less than {0}",
    "minLength": "at least {0} characters",
    "maxLength": "at most {0} characters",
    "minItems": "a list of at least {0}",
    "maxItems": "a list of at most {0}",
    "minProperties": "at least {0} key",
    "maxProperties": "at most {0} key",
}


def explain(found: Found) -> Iterator[Problem]:
    """The problems for one error of the validator."""
    if "propertyNames" in found.error.absolute_schema_path:
        yield _wrong_key(found)
    elif found.error.validator in _KEYWORDS:
        yield from _KEYWORDS[found.error.validator](found)
    else:
        yield found.problem("P206", f"this does not fit{found.context}: {describe(found.node)}")


def _type(found: Found) -> Iterator[Problem]:
    kinds = [found.limit] if isinstance(found.limit, str) else list(found.limit)
    node: Any = found.node
    pattern, path = found.schema.get("pattern"), found.error.absolute_path
    is_word = "string" in kinds and isinstance(node, ScalarNode) and node.value is not None
    if is_word and pattern and not re.search(pattern, node.source):
        # A number or a word would not do as a text either, as `40` where `40%` is wanted.
        yield from _form(found)
        return
    expected = found.schema.get("errorMessage", "") if "object" in kinds or "number" in kinds else ""
    if not expected.startswith("expected"):
        expected = "expected " + " or ".join(_NAMES[kind] for kind in kinds)
    message = f"{expected}, found {describe(node)}{found.of}"
    in_list = bool(path) and isinstance(path[-1], int)
    advice = type_hint(kinds, node, in_list=in_list, limit=found.schema.get("exclusiveMaximum"))
    yield found.problem("P202", message, advice)


def _choice(found: Found) -> Iterator[Problem]:
    choices = [str(choice) for choice in (found.limit if isinstance(found.limit, list) else [found.limit])]
    expected = " or ".join(f"`{choice}`" for choice in choices) if len(choices) <= 2 else "one of the known words"
    advice = hint(str(found.error.instance), choices)
    yield found.problem("P205", f"expected {expected}, found {describe(found.node)}{found.of}", advice)


def _form(found: Found) -> Iterator[Problem]:
    expected = found.schema.get("patternErrorMessage", "expected another form")
    # The value itself, which is the default where the node refers to the environment.
    given = found.error.instance
    source = given if isinstance(given, str) or not isinstance(found.node, ScalarNode) else found.node.source
    advice = form_hint(expected, source)
    if not source.strip():
        # Other conditions are not the point here.
        expected = expected.partition(" that is not blank")[0].partition(", found")[0]
        yield found.problem("P204", f"{expected}, found only blanks{found.of}", "write something, or remove it")
    elif "errorMessage" in found.schema and "${" in source:
        yield found.problem("P208", str(found.schema["errorMessage"]))
    elif "${" in source:
        yield found.problem("P208", f"{expected}, found `{shortened(source)}`", advice)
    else:
        code = "P207" if "expected a time" in expected else "P206"
        yield found.problem(code, f"{expected}, found `{shortened(source)}`{found.of}", advice)


def _bound(found: Found) -> Iterator[Problem]:
    keyword = str(found.error.validator)
    value = found.error.instance
    count = f"{len(value):,}" if keyword.endswith(("Length", "Items", "Properties")) else f"`{value}`"
    limit = f"{found.limit:,}" if isinstance(found.limit, int) else str(found.limit)
    message = f"expected {_BOUNDS[keyword].format(limit)}, found {count}{found.of}"
    yield found.problem("P204", message, bound_hint(keyword, found.limit, value))


def _wrong_key(found: Found) -> Problem:
    word = str(found.error.instance)
    span = next((entry.key.span for entry in entries(found.node) if entry.key.value == word), found.span)
    if found.error.validator == "enum":
        return found.problem("P203", f"unknown key `{word}`{found.context}", _key_hint(found, word, found.limit), span)
    expected = found.schema.get("patternErrorMessage", "expected a shorter name")
    return found.problem("P206", f"{expected}, found `{shortened(word)}`", span=span)


def _unknown_keys(found: Found) -> Iterator[Problem]:
    allowed = found.schema.get("properties", {})
    for key, _ in entries(found.node):
        if key.value not in allowed:
            message = f"unknown key `{shortened(key.value)}`{found.context}"
            yield found.problem("P203", message, _key_hint(found, key.value, allowed), key.span)


def _key_hint(found: Found, word: str, allowed: Collection[str]) -> str:
    """What to write instead of the unknown key `word`."""
    absent = found.absent(allowed)
    glued = re.match("([A-Za-z_]+)[:：]", word)
    if glued and glued[1] in absent:
        return f"write `{glued[1]}: `, with a narrow colon and a space"
    if nearest(word, absent) is not None:
        return hint(word, absent)
    if len(found.keys) == 1 and str(found.schema.get("errorMessage", "")).startswith("expected text"):
        return "put a text that holds `: ` in quotes"
    missing = _mixed_up(found)
    return f"did you mean `{missing}`, which is missing?" if missing else hint(word, absent)


def _mixed_up(found: Found) -> str | None:
    """The one key that is missing where there is one that nobody knows: probably they are the same."""
    missing = [key for key in found.schema.get("required", ()) if key not in found.keys]
    unknown = [key for key in found.keys if key not in found.known]
    if found.schema.get("additionalProperties", True) is not False and "propertyNames" not in found.schema:
        return None
    alike = len(missing) == len(unknown) == 1 and nearest(unknown[0], found.absent(found.known)) is None
    return missing[0] if alike else None


def _missing_keys(found: Found) -> Iterator[Problem]:
    needed = found.limit
    if found.error.validator == "dependentRequired":
        needed = [key for present, keys in found.limit.items() for key in keys if present in found.error.instance]
    for key in needed:
        if key not in found.error.instance and _mixed_up(found) != key:
            yield from _missing_key(found, key)


def _missing_key(found: Found, key: str) -> Iterator[Problem]:
    message = f"missing key `{key}`{found.context}"
    for written, _ in entries(found.node):
        if written.value not in found.known and nearest(written.value, found.absent(found.known)) == key:
            if isinstance(found.schema.get("additionalProperties"), dict):
                yield found.problem("P201", message, f"did you mean `{key}`?", written.span)
            return
    yield found.problem("P201", message, f"add `{key}: …`")


def _refused(found: Found) -> Iterator[Problem]:
    """Keys that exclude each other, or a text that may not stand there; what is neither has another mistake."""
    together = found.limit.get("required", [])
    if together and isinstance(found.node, MappingNode):
        message = "expected only one of " + ", ".join(f"`{key}`" for key in together) + found.context
        yield found.problem("P210", message, "write two entries")
    elif not together:
        yield found.problem("P208", str(found.schema.get("errorMessage", "this is not allowed here")))


def _one_of(found: Found) -> Iterator[Problem]:
    keys = [branch["required"][0] for branch in found.limit]
    either = " or ".join(f"`{key}`" for key in keys)
    present = [entry.key for entry in entries(found.node) if entry.key.value in keys]
    if present:
        last = max(present, key=lambda key: keys.index(key.value))
        yield found.problem("P210", f"expected {either}, found both{found.context}", "remove one", last.span)
    elif not {nearest(key, found.known) for key in found.error.instance if key not in found.known} & set(keys):
        yield found.problem("P210", f"expected {either}, found neither{found.context}", f"add `{keys[0]}: …`")


_KEYWORDS: Mapping[str, Callable[[Found], Iterator[Problem]]] = {
    "type": _type,
    "required": _missing_keys,
    "dependentRequired": _missing_keys,
    "additionalProperties": _unknown_keys,
    "enum": _choice,
    "const": _choice,
    "pattern": _form,
    "not": _refused,
    "oneOf": _one_of,
    **dict.fromkeys(_BOUNDS, _bound),
}
