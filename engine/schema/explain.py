"""From an error of the JSON Schema validator to problems in the editor's words: found, expected, what to write.

One function for each keyword of the schemas, in a table. The place was found before; nothing here walks the tree but
to look at the keys beside a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.model.source import Problem, Span
from engine.reading.node import MappingNode, Node, ScalarNode, SequenceNode
from engine.reading.text import shortened
from engine.schema.suggest import hint, nearest

_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys with values",
    "null": "nothing",
}


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


def explain(found: Found) -> Iterator[Problem]:
    """The problems for one error of the validator."""
    if "propertyNames" in found.error.absolute_schema_path:
        yield _wrong_key(found)
        return
    yield from _KEYWORDS.get(str(found.error.validator), _other)(found)


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


def _type(found: Found) -> Iterator[Problem]:
    kinds = [found.limit] if isinstance(found.limit, str) else list(found.limit)
    expected = found.schema.get("errorMessage", "") if "object" in kinds or "number" in kinds else ""
    if not expected.startswith("expected"):
        expected = "expected " + " or ".join(_NAMES[kind] for kind in kinds)
    yield found.problem("P202", f"{expected}, found {describe(found.node)}{_of(found)}", _type_hint(kinds, found.node))


def _of(found: Found) -> str:
    """Names the key when the caret does not stand under it."""
    path = found.error.absolute_path
    last = next((part for part in reversed(path) if isinstance(part, str)), None)
    return f" for `{last}`{found.context.removesuffix(f' in `{last}`')}" if last else ""


def _type_hint(kinds: list[str], node: Node) -> str:  # noqa: PLR0911 - one return for each kind of mix-up
    match node:
        case ScalarNode(value=None):
            return "write a value after the colon, or remove the key"
        case ScalarNode(value=bool() | int() | float(), source=source) if "string" in kinds or "object" in kinds:
            return f'write "{source}" when it is meant as text'
        case ScalarNode(value=str(), source=source) if {"integer", "number"} & set(kinds) and _is_number(source):
            return f"write {source} without quotes"
        case ScalarNode(source=source) if kinds == ["array"] and re.match(r"[-・](?! )|ー", source):
            return "begin each item on its own line with `- `: a hyphen and a space"
        case ScalarNode(source=source) if kinds == ["array"]:
            return f"write [{shortened(source)}], or each item on its own line after `- `"
        case MappingNode(entries=entries) if "string" in kinds and len(entries) == 1:
            return "put a text that holds `: ` or begins with `{` in quotes"
        case SequenceNode() if "string" in kinds:
            return "write one text; put a text that begins with `[` in quotes"
        case _:
            return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _wrong_key(found: Found) -> Problem:
    word = str(found.error.instance)
    entry = found.node.entry(word) if isinstance(found.node, MappingNode) else None
    span = entry.key.span if entry else found.span
    if found.error.validator == "enum":
        allowed = _absent(found.limit, found.node)
        return found.problem("P203", f"unknown key `{word}`{found.context}", hint(word, allowed), span)
    expected = found.schema.get("patternErrorMessage", "expected a shorter name")
    return found.problem("P206", f"{expected}, found `{shortened(word)}`", span=span)


def _unknown_keys(found: Found) -> Iterator[Problem]:
    allowed = found.schema.get("properties", {})
    assert isinstance(found.node, MappingNode)  # noqa: S101 - the keyword applies to nothing else
    for entry in found.node.entries:
        if entry.key.value not in allowed:
            word = entry.key.value
            message = f"unknown key `{shortened(word)}`{found.context}"
            yield found.problem("P203", message, hint(word, _absent(allowed, found.node)), entry.key.span)


def _absent(allowed: Any, node: Node) -> list[str]:
    """The allowed keys that `node` does not have yet, or all when it has them all."""
    present = {entry.key.value for entry in node.entries} if isinstance(node, MappingNode) else set()
    return [key for key in allowed if key not in present] or list(allowed)


def _missing_keys(found: Found) -> Iterator[Problem]:
    for key in found.limit:
        if key not in found.error.instance:
            yield from _missing_key(found, key)


def _dependent_keys(found: Found) -> Iterator[Problem]:
    for present, needed in found.limit.items():
        for key in needed:
            if present in found.error.instance and key not in found.error.instance:
                yield from _missing_key(found, key)


def _missing_key(found: Found, key: str) -> Iterator[Problem]:
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


def _choice(found: Found) -> Iterator[Problem]:
    choices = [str(choice) for choice in (found.limit if isinstance(found.limit, list) else [found.limit])]
    expected = " or ".join(f"`{choice}`" for choice in choices) if len(choices) <= 2 else "one of the known words"
    advice = hint(str(found.error.instance), choices)
    yield found.problem("P205", f"expected {expected}, found {describe(found.node)}{_of(found)}", advice)


def _form(found: Found) -> Iterator[Problem]:
    expected = found.schema.get("patternErrorMessage", "expected another form")
    # The value itself, which is the default where the node refers to the environment.
    source = str(found.error.instance)
    if not source.strip():
        yield found.problem(
            "P204", f"{_until_not_blank(expected)}, found only blanks{_of(found)}", "write something, or remove it"
        )
    elif "errorMessage" in found.schema and "${" in source:
        yield found.problem("P208", str(found.schema["errorMessage"]))
    elif "${" in source:
        yield found.problem("P208", f"{expected}, found `{shortened(source)}`", _env_hint(source))
    elif "expected a time" in expected:
        yield found.problem("P207", f"{expected}, found `{shortened(source)}`", "write a number with `s` or `ms`")
    else:
        yield found.problem(
            "P206", f"{expected}, found `{shortened(source)}`{_of(found)}", _form_hint(expected, source)
        )


def _until_not_blank(expected: str) -> str:
    """What is expected, without the conditions that are not the point here."""
    return expected.partition(" that is not blank")[0].partition(", found")[0]


def _env_hint(source: str) -> str:
    inner = source[source.index("${") + 2 :].split("}", maxsplit=1)[0]
    name = inner.split(":")[0]
    if name != name.upper():
        return f"write the variable in capitals: ${{{name.upper()}}}"
    return "write ${NAME:default}, where NAME is in capitals and default holds no braces"


def _form_hint(expected: str, source: str) -> str:
    if "small letters" not in expected:
        return ""
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in source.lower()).strip("_")
    return f"write `{name}`" if name[:1].isalpha() else ""


def _bound(found: Found) -> Iterator[Problem]:
    words = {
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
    keyword = str(found.error.validator)
    value = found.error.instance
    count = f"{len(value):,}" if keyword.endswith(("Length", "Items", "Properties")) else f"`{value}`"
    limit = f"{found.limit:,}" if isinstance(found.limit, int) else str(found.limit)
    yield found.problem("P204", f"expected {words[keyword].format(limit)}, found {count}{_of(found)}")


def _refused(found: Found) -> Iterator[Problem]:
    if isinstance(found.node, ScalarNode):
        yield found.problem("P208", str(found.schema.get("errorMessage", "this is not allowed here")))
    else:
        keys = found.limit.get("required", [])
        message = "expected only one of " + ", ".join(f"`{key}`" for key in keys) + found.context
        yield found.problem("P210", message, "write two entries")


def _one_of(found: Found) -> Iterator[Problem]:
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


def _other(found: Found) -> Iterator[Problem]:
    yield found.problem("P206", f"this does not fit{found.context}: {describe(found.node)}")


_KEYWORDS: Mapping[str, Callable[[Found], Iterator[Problem]]] = {
    "type": _type,
    "required": _missing_keys,
    "dependentRequired": _dependent_keys,
    "additionalProperties": _unknown_keys,
    "enum": _choice,
    "const": _choice,
    "pattern": _form,
    "not": _refused,
    "oneOf": _one_of,
    **dict.fromkeys(
        (
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
        ),
        _bound,
    ),
}
