"""Keys that are unknown, missing, or do not go together: one function for each keyword of the schemas about keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from engine.core.source import Problem
from engine.pipeline.reading.decoding import shortened
from engine.pipeline.reading.node import MappingNode, Node
from engine.pipeline.schema.found import Found
from engine.pipeline.schema.suggest import hint, nearest

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
