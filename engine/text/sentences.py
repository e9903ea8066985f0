"""Splits a reply into its sentences, so that a stream can give them out one by one."""

from __future__ import annotations

import re

_END = re.compile(r"(?:[。．！？!?]|\.(?=\s|\Z))[。．！？!?.]*[」』）)]*|(?<=\S)(?=\s*\n)")
"""A full stop, a mark or the end of a line, with closing brackets; a point inside a number ends nothing."""


def sentences(text: str) -> list[str]:
    """The sentences of `text`, each with the space before it and what ends it; joined they are `text`."""
    parts, start = [], 0
    for found in _END.finditer(text):
        if text[start : found.end()].strip():
            parts.append(text[start : found.end()])
            start = found.end()
    rest = text[start:]
    if rest.strip() or not parts:
        return [*parts, rest]
    return [*parts[:-1], parts[-1] + rest]
