"""Captures parts of the user's text by a reply's regexes, and applies what the reply remembers or forgets.

All of it is the user's text: it is cleaned and bounded here, and it is never read as a template.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial

from engine.core.deadline import Deadline
from engine.core.expression import LazyMapping, Template
from engine.core.plan import Memory, Reply
from engine.text.cleaning import clean
from engine.text.normalise import fold, normalise
from engine.text.regexes import compile_pattern

LONGEST = 200
"""Characters of a text that is captured."""

Render = Callable[[Template, LazyMapping, Deadline | None], str]


def remember(
    reply: Reply, memory: Mapping[str, Memory], names: LazyMapping, render: Render, until: Deadline | None = None
) -> tuple[LazyMapping, dict[str, str | None]]:
    """The names that the words of `reply` see, and what it does to the memory: a new value by name, or `None`.

    The words see what is remembered with them, and what they forget for the last time. Raises `ValueError` where a
    template fails.
    """
    if reply.captures:
        names = names.also(captured=captured(reply.captures, names["text"]))
    values = {name: _one_line(render(text, names, until), memory[name].characters) for name, text in reply.remember}
    learned = {name: value for name, value in values.items() if value}
    if learned:
        names = names.also(memory={**names["memory"], **learned})
    return names, {**dict.fromkeys(reply.forget), **learned}


def captured(patterns: Sequence[str], text: str) -> dict[str, str]:
    """The text of each named group, from the first pattern that finds it; empty where none does.

    Patterns are looked for in the text as it was written, but for the width of its letters. Only where none is there,
    they are looked for in the forms that triggers are compared in, which know neither capitals nor katakana.
    """
    compiled = [_compiled(pattern) for pattern in patterns]
    found = {name: "" for pattern in compiled for name in pattern.groupindex}
    for read in (partial(unicodedata.normalize, "NFKC"), fold, normalise):
        matches = [match for pattern in compiled if (match := pattern.search(read(text)))]
        for match in matches:
            groups = match.groupdict().items()
            found |= {name: _one_line(value, LONGEST) for name, value in groups if value and not found[name]}
        if matches:
            break
    return found


def _one_line(text: str, most: int) -> str:
    return " ".join(clean(text).split())[:most].strip()


_compiled = lru_cache(maxsize=64)(compile_pattern)
