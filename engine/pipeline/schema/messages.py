"""Explains errors of the JSON Schema validator in the editor's words: found, expected, what to write.

One function for each keyword of the schemas, in the table at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.core.language import joined, phrase
from engine.core.node import MappingNode, Node, ScalarNode, SequenceNode, entries
from engine.core.source import Problem, Span
from engine.pipeline.reading.files import shortened
from engine.pipeline.schema.advice import bound_hint, form_hint, hint, nearest, type_hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An error of the validator with the node it is about, the place to show, and what is around it.

    `where` names what it belongs to, as `reply `greet``; the error is a `jsonschema.ValidationError`, whose fields are
    loosely typed.
    """

    error: Any
    node: Node
    span: Span
    where: str

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
        if last is None:
            return ""
        if self.where in ("", f"`{last}`"):
            return phrase(" for `{key}`", key=last)
        return phrase(" for `{key}` in {where}", key=last, where=self.where)

    @property
    def context(self) -> str:
        """Names what the place belongs to: ` in reply `greet``."""
        return phrase(" in {where}", where=self.where) if self.where else ""

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
    """Describes a node as a person would."""
    match node:
        case SequenceNode():
            return phrase("a list")
        case MappingNode():
            return phrase("keys with values")
        case ScalarNode(value=None):
            return phrase("nothing")
        case ScalarNode(value=bool()):
            return f"`{node.source}`"
        case ScalarNode(value=int() | float()):
            return phrase("number `{source}`", source=node.source)
        case _:
            return phrase("text `{source}`", source=shortened(node.source))


_NAMES = {
    "string": phrase("text"),
    "integer": phrase("a whole number"),
    "number": phrase("a number"),
    "boolean": phrase("true or false"),
    "array": phrase("a list"),
    "object": phrase("keys with values"),
    "null": phrase("nothing"),
}

_BOUNDS = {
    "minimum": phrase("at least {limit}"),
    "maximum": phrase("at most {limit}"),
    "exclusiveMinimum": phrase("more than {limit}"),
    "exclusiveMaximum": phrase("less than {limit}"),
    "minLength": phrase("at least {limit} characters"),
    "maxLength": phrase("at most {limit} characters"),
    "minItems": phrase("a list of at least {limit}"),
    "maxItems": phrase("a list of at most {limit}"),
    "minProperties": phrase("at least {limit} key"),
    "maxProperties": phrase("at most {limit} key"),
}


def explain(found: Found) -> Iterator[Problem]:
    """The problems for one error of the validator."""
    if "propertyNames" in found.error.absolute_schema_path:
        yield _wrong_key(found)
    elif found.error.validator in _KEYWORDS:
        yield from _KEYWORDS[found.error.validator](found)
    else:
        message = phrase("this does not fit{context}: {found}", context=found.context, found=describe(found.node))
        yield found.problem("P206", message)


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
    if expected.startswith("expected"):
        expected = phrase(expected)
    else:
        expected = phrase("expected {kinds}", kinds=joined("{before} or {after}", (_NAMES[kind] for kind in kinds)))
    message = phrase("{expected}, found {found}{of}", expected=expected, found=describe(node), of=found.of)
    in_list = bool(path) and isinstance(path[-1], int)
    advice = type_hint(kinds, node, in_list=in_list, limit=found.schema.get("exclusiveMaximum"))
    if not path and isinstance(node, SequenceNode) and len(found.schema.get("required", ())) == 1:
        advice = phrase("write `{key}:` on a line of its own above the list", key=found.schema["required"][0])
    yield found.problem("P202", message, advice)


def _choice(found: Found) -> Iterator[Problem]:
    choices = [str(choice) for choice in (found.limit if isinstance(found.limit, list) else [found.limit])]
    known = joined("{before} or {after}", (f"`{choice}`" for choice in choices))
    message = phrase(
        "{expected}, found {found}{of}",
        expected=phrase("expected {kinds}", kinds=known if len(choices) <= 2 else phrase("one of the known words")),
        found=describe(found.node),
        of=found.of,
    )
    yield found.problem("P205", message, hint(str(found.error.instance), choices))


def _form(found: Found) -> Iterator[Problem]:
    expected = phrase(found.schema.get("patternErrorMessage", phrase("expected another form")))
    # The value itself, which is the default where the node refers to the environment.
    given = found.error.instance
    source = given if isinstance(given, str) or not isinstance(found.node, ScalarNode) else found.node.source
    advice = form_hint(expected, source)
    if not source.strip():
        # Other conditions are not the point here.
        expected = phrase(expected.partition(" that is not blank")[0].partition(", found")[0])
        message = phrase("{expected}, found only blanks{of}", expected=expected, of=found.of)
        yield found.problem("P204", message, phrase("write something, or remove it"))
    elif "errorMessage" in found.schema and "${" in source:
        yield found.problem("P208", phrase(found.schema["errorMessage"]))
    elif "${" in source:
        message = phrase("{expected}, found `{source}`", expected=expected, source=shortened(source))
        yield found.problem("P208", message, advice)
    else:
        code = "P207" if "expected a time" in expected else "P206"
        message = phrase("{expected}, found `{source}`{of}", expected=expected, source=shortened(source), of=found.of)
        yield found.problem(code, message, advice)


def _bound(found: Found) -> Iterator[Problem]:
    keyword = str(found.error.validator)
    value = found.error.instance
    count = f"{len(value):,}" if keyword.endswith(("Length", "Items", "Properties")) else f"`{value}`"
    limit = f"{found.limit:,}" if isinstance(found.limit, int) else str(found.limit)
    expected = phrase("expected {kinds}", kinds=phrase(_BOUNDS[keyword], limit=limit))
    message = phrase("{expected}, found {given}{of}", expected=expected, given=count, of=found.of)
    yield found.problem("P204", message, bound_hint(keyword, found.limit, value))


def _wrong_key(found: Found) -> Problem:
    word = str(found.error.instance)
    span = next((entry.key.span for entry in entries(found.node) if entry.key.value == word), found.span)
    if found.error.validator == "enum":
        message = phrase("unknown key `{key}`{context}", key=word, context=found.context)
        return found.problem("P203", message, _key_hint(found, word, found.limit), span)
    expected = phrase(found.schema.get("patternErrorMessage", phrase("expected a shorter name")))
    message = phrase("{expected}, found `{source}`", expected=expected, source=shortened(word))
    return found.problem("P206", message, span=span)


def _unknown_keys(found: Found) -> Iterator[Problem]:
    allowed = found.schema.get("properties", {})
    for key, _ in entries(found.node):
        if key.value not in allowed:
            message = phrase("unknown key `{key}`{context}", key=shortened(key.value), context=found.context)
            yield found.problem("P203", message, _key_hint(found, key.value, allowed), key.span)


def _key_hint(found: Found, word: str, allowed: Collection[str]) -> str:
    """Advises what to write instead of the unknown key `word`."""
    absent = found.absent(allowed)
    glued = re.match("([A-Za-z_]+)[:：]", word)
    if glued and glued[1] in absent:
        return phrase("write `{key}: `, with a narrow colon and a space", key=glued[1])
    if nearest(word, absent) is not None:
        return hint(word, absent)
    if len(found.keys) == 1 and str(found.schema.get("errorMessage", "")).startswith("expected text"):
        return phrase("put a text that holds `: ` in quotes")
    missing = _mixed_up(found)
    return phrase("did you mean `{missing}`, which is missing?", missing=missing) if missing else hint(word, absent)


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
    message = phrase("missing key `{key}`{context}", key=key, context=found.context)
    for written, _ in entries(found.node):
        if written.value not in found.known and nearest(written.value, found.absent(found.known)) == key:
            if isinstance(found.schema.get("additionalProperties"), dict):
                yield found.problem("P201", message, phrase("did you mean `{key}`?", key=key), written.span)
            return
    yield found.problem("P201", message, phrase("add `{key}: …`", key=key))


def _refused(found: Found) -> Iterator[Problem]:
    """Keys that exclude each other, or a text that may not stand there; what is neither has another mistake."""
    together = found.limit.get("required", [])
    if together and isinstance(found.node, MappingNode):
        keys = ", ".join(f"`{key}`" for key in together)
        message = phrase("expected only one of {keys}{context}", keys=keys, context=found.context)
        yield found.problem("P210", message, phrase("write two entries"))
    elif not together:
        yield found.problem("P208", phrase(found.schema.get("errorMessage", phrase("this is not allowed here"))))


def _one_of(found: Found) -> Iterator[Problem]:
    keys = [branch["required"][0] for branch in found.limit]
    either = joined("{before} or {after}", (f"`{key}`" for key in keys))
    present = [entry.key for entry in entries(found.node) if entry.key.value in keys]
    if present:
        last = max(present, key=lambda key: keys.index(key.value))
        message = phrase("expected {either}, found both{context}", either=either, context=found.context)
        yield found.problem("P210", message, phrase("remove one"), last.span)
    elif not {nearest(key, found.known) for key in found.error.instance if key not in found.known} & set(keys):
        message = phrase("expected {either}, found neither{context}", either=either, context=found.context)
        yield found.problem("P210", message, phrase("add `{key}: …`", key=keys[0]))


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
