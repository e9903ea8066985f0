"""From an error of the JSON Schema validator to problems in the editor's words: found, expected, what to write.

One function for each keyword of the schemas, in the table at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from engine.core.node import MappingNode, Node, ScalarNode, SequenceNode
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
    def schema(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.error.schema
        return found

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
    def is_item(self) -> bool:
        """Whether the node is an item of a list."""
        path = self.error.absolute_path
        return bool(path) and isinstance(path[-1], int)


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
        yield wrong_key(found)
        return
    yield from _KEYWORDS.get(str(found.error.validator), _other)(found)


def _type(found: Found) -> Iterator[Problem]:
    kinds = [found.limit] if isinstance(found.limit, str) else list(found.limit)
    if "string" in kinds and _has_no_form(found):
        yield from _form(found)
        return
    expected = found.schema.get("errorMessage", "") if "object" in kinds or "number" in kinds else ""
    if not expected.startswith("expected"):
        expected = "expected " + " or ".join(_NAMES[kind] for kind in kinds)
    message = f"{expected}, found {describe(found.node)}{found.of}"
    limit = found.schema.get("exclusiveMaximum")
    yield found.problem("P202", message, type_hint(kinds, found.node, in_list=found.is_item, limit=limit))


def _has_no_form(found: Found) -> bool:
    """Whether a number or a word would not do as a text either, as `40` where `40%` is wanted."""
    node = found.node
    pattern = found.schema.get("pattern")
    return (
        isinstance(node, ScalarNode)
        and node.value is not None
        and bool(pattern and not re.search(pattern, node.source))
    )


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
        yield found.problem(
            "P204", f"{_until_not_blank(expected)}, found only blanks{found.of}", "write something, or remove it"
        )
    elif "errorMessage" in found.schema and "${" in source:
        yield found.problem("P208", str(found.schema["errorMessage"]))
    elif "${" in source:
        yield found.problem("P208", f"{expected}, found `{shortened(source)}`", advice)
    else:
        code = "P207" if "expected a time" in expected else "P206"
        yield found.problem(code, f"{expected}, found `{shortened(source)}`{found.of}", advice)


def _until_not_blank(expected: str) -> str:
    """What is expected, without the conditions that are not the point here."""
    return expected.partition(" that is not blank")[0].partition(", found")[0]


def _bound(found: Found) -> Iterator[Problem]:
    keyword = str(found.error.validator)
    value = found.error.instance
    count = f"{len(value):,}" if keyword.endswith(("Length", "Items", "Properties")) else f"`{value}`"
    limit = f"{found.limit:,}" if isinstance(found.limit, int) else str(found.limit)
    message = f"expected {_BOUNDS[keyword].format(limit)}, found {count}{found.of}"
    yield found.problem("P204", message, bound_hint(keyword, found.limit, value))


def _other(found: Found) -> Iterator[Problem]:
    yield found.problem("P206", f"this does not fit{found.context}: {describe(found.node)}")


_GLUED = re.compile("([A-Za-z_]+)[:：]")


def wrong_key(found: Found) -> Problem:
    word = str(found.error.instance)
    entry = found.node.entry(word) if isinstance(found.node, MappingNode) else None
    span = entry.key.span if entry else found.span
    if found.error.validator == "enum":
        return found.problem("P203", f"unknown key `{word}`{found.context}", _meant(found, word, found.limit), span)
    expected = found.schema.get("patternErrorMessage", "expected a shorter name")
    return found.problem("P206", f"{expected}, found `{shortened(word)}`", span=span)


def unknown_keys(found: Found) -> Iterator[Problem]:
    allowed = found.schema.get("properties", {})
    # The keyword applies to nothing else.
    for entry in cast("MappingNode", found.node).entries:
        if entry.key.value not in allowed:
            word = entry.key.value
            message = f"unknown key `{shortened(word)}`{found.context}"
            yield found.problem("P203", message, _meant(found, word, allowed), entry.key.span)


def _meant(found: Found, word: str, allowed: Any) -> str:
    """What to write instead of the unknown key `word`."""
    absent = _absent(allowed, found.node)
    glued = _GLUED.match(word)
    if glued and glued[1] in absent:
        return f"write `{glued[1]}: `, with a narrow colon and a space"
    if nearest(word, absent) is not None:
        return hint(word, absent)
    alone = isinstance(found.node, MappingNode) and len(found.node.entries) == 1
    if alone and str(found.schema.get("errorMessage", "")).startswith("expected text"):
        return "put a text that holds `: ` in quotes"
    missing = _mixed_up(found)
    return f"did you mean `{missing}`, which is missing?" if missing else hint(word, absent)


def _mixed_up(found: Found) -> str | None:
    """The one key that is missing where there is one that nobody knows: probably they are the same."""
    present = [entry.key.value for entry in found.node.entries] if isinstance(found.node, MappingNode) else []
    known = _known_keys(found)
    missing = [key for key in found.schema.get("required", ()) if key not in present]
    unknown = [key for key in present if key not in known]
    if found.schema.get("additionalProperties", True) is not False and "propertyNames" not in found.schema:
        return None
    alike = len(missing) == len(unknown) == 1 and nearest(unknown[0], _absent(known, found.node)) is None
    return missing[0] if alike else None


def _absent(allowed: Any, node: Node) -> list[str]:
    """The allowed keys that `node` does not have yet, or all when it has them all."""
    present = {entry.key.value for entry in node.entries} if isinstance(node, MappingNode) else set()
    return [key for key in allowed if key not in present] or list(allowed)


def missing_keys(found: Found) -> Iterator[Problem]:
    for key in found.limit:
        if key not in found.error.instance:
            yield from _missing_key(found, key)


def dependent_keys(found: Found) -> Iterator[Problem]:
    for present, needed in found.limit.items():
        for key in needed:
            if present in found.error.instance and key not in found.error.instance:
                yield from _missing_key(found, key)


def _missing_key(found: Found, key: str) -> Iterator[Problem]:
    if _mixed_up(found) == key:
        return
    message = f"missing key `{key}`{found.context}"
    known = _known_keys(found)
    for entry in found.node.entries if isinstance(found.node, MappingNode) else ():
        if entry.key.value not in known and nearest(entry.key.value, _absent(known, found.node)) == key:
            if isinstance(found.schema.get("additionalProperties"), dict):
                yield found.problem("P201", message, f"did you mean `{key}`?", entry.key.span)
            return
    yield found.problem("P201", message, f"add `{key}: …`")


def _known_keys(found: Found) -> list[str]:
    names = found.schema.get("propertyNames", {}).get("enum")
    return list(names or found.schema.get("properties", {}))


def refused(found: Found) -> Iterator[Problem]:
    """Keys that exclude each other, or a text that may not stand there; what is neither has another mistake."""
    together = found.limit.get("required", [])
    if together and isinstance(found.node, MappingNode):
        message = "expected only one of " + ", ".join(f"`{key}`" for key in together) + found.context
        yield found.problem("P210", message, "write two entries")
    elif not together:
        yield found.problem("P208", str(found.schema.get("errorMessage", "this is not allowed here")))


def one_of(found: Found) -> Iterator[Problem]:
    keys = [branch["required"][0] for branch in found.limit]
    present = [key for key in keys if key in found.error.instance]
    known = _known_keys(found)
    misspelt = {nearest(key, known) for key in found.error.instance if key not in known}
    if not present and misspelt & set(keys):
        return
    either = " or ".join(f"`{key}`" for key in keys)
    if present:
        second = found.node.entry(present[-1]) if isinstance(found.node, MappingNode) else None
        span = second.key.span if second else found.span
        yield found.problem("P210", f"expected {either}, found both{found.context}", "remove one", span)
    else:
        yield found.problem("P210", f"expected {either}, found neither{found.context}", f"add `{keys[0]}: …`")


_KEYWORDS: Mapping[str, Callable[[Found], Iterator[Problem]]] = {
    "type": _type,
    "required": missing_keys,
    "dependentRequired": dependent_keys,
    "additionalProperties": unknown_keys,
    "enum": _choice,
    "const": _choice,
    "pattern": _form,
    "not": refused,
    "oneOf": one_of,
    **dict.fromkeys(_BOUNDS, _bound),
}
