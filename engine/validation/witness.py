"""Sentences made up for a trigger: what a user might say that belongs to it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from engine.pipeline.spec import ContainsTrigger, FuzzyTrigger, WordsTrigger
from engine.text.regexes import compile_pattern
from engine.validation.subject import Placed

MOST = 6
"""Sentences tried for one trigger."""

_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def sentences_for(placed: Placed) -> Sequence[str]:
    """Sentences that the trigger is meant for; none for a pattern that no sentence could be made for."""
    trigger = placed.trigger
    if isinstance(trigger, FuzzyTrigger):
        return [trigger.text.value]
    if isinstance(trigger, ContainsTrigger):
        part = trigger.text.value
        return [f"あの、{part}のことなんだけど", part] if _JAPANESE.search(part) else [f"well, {part} you know", part]
    if isinstance(trigger, WordsTrigger):
        return [example.value for example in placed.reply.examples][:MOST]
    pattern = compile_pattern(trigger.pattern.value)
    own = [example.value for example in placed.reply.examples if pattern.search(example.value)]
    made = [text for text in islice(_matching(trigger.pattern.value), MOST) if pattern.search(text)]
    return [*own, *made][:MOST]


def close_to(text: str) -> Sequence[str]:
    """The text as someone else might say it, with a particle or a word more."""
    if _JAPANESE.search(text):
        return [f"{text}よ", f"{text}なの", f"ねえ、{text}"]
    return [f"{text} please", f"so {text}"]


def _matching(pattern: str) -> Iterator[str]:
    """Texts that `pattern` matches, one for each way through its alternatives; none where Python cannot read it."""
    parser: Any = re._parser  # type: ignore[attr-defined]  # noqa: SLF001 - the standard library's own regex parser
    try:
        # Python means to read some signs in brackets differently one day; re2 is asked afterwards anyway.
        with warnings.catch_warnings(action="ignore"):
            tree = parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return
    yield from _texts(list(tree))


def _texts(tokens: Sequence[tuple[Any, Any]]) -> Iterator[str]:
    if not tokens:
        yield ""
        return
    for head in _token(*tokens[0]):
        for tail in _texts(tokens[1:]):
            yield head + tail


def _token(kind: Any, value: Any) -> Iterator[str]:
    match str(kind):
        case "LITERAL":
            yield chr(value)
        case "IN":
            yield from islice(_members(value), 2)
        case "ANY" | "NOT_LITERAL":
            yield "ん" if value != ord("ん") else "x"
        case "BRANCH":
            for branch in value[1]:
                yield from _texts(list(branch))
        case "SUBPATTERN":
            yield from _texts(list(value[3]))
        case "MAX_REPEAT" | "MIN_REPEAT":
            least, _, inner = value
            for text in _texts(list(inner)):
                yield text * max(least, 1)
                break
            if least == 0:
                yield ""
        case _:
            yield ""


def _members(members: Sequence[tuple[Any, Any]]) -> Iterator[str]:
    for kind, value in members:
        match str(kind):
            case "LITERAL":
                yield chr(value)
            case "RANGE":
                yield chr(value[0])
            case "NEGATE":
                yield from ("ん", "x")
            case "CATEGORY":
                yield {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a"}.get(str(value), "あ")
            case _:
                yield "あ"
