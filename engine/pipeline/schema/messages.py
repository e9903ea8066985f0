"""From an error of the JSON Schema validator to problems in the editor's words: found, expected, what to write.

One function for each keyword of the schemas, in a table; those about keys are in `engine.pipeline.schema.keys`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from engine.core.source import Problem
from engine.pipeline.reading.decoding import shortened
from engine.pipeline.reading.node import ScalarNode
from engine.pipeline.schema import keys
from engine.pipeline.schema.advice import bound_hint, form_hint, type_hint
from engine.pipeline.schema.found import Found, describe
from engine.pipeline.schema.suggest import hint

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
        yield keys.wrong_key(found)
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


_KEYWORDS: Mapping[str, Callable[[Found], Iterator[Problem]]] = {
    "type": _type,
    "required": keys.missing_keys,
    "dependentRequired": keys.dependent_keys,
    "additionalProperties": keys.unknown_keys,
    "enum": _choice,
    "const": _choice,
    "pattern": _form,
    "not": keys.refused,
    "oneOf": keys.one_of,
    **dict.fromkeys(_BOUNDS, _bound),
}
