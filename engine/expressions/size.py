"""Bounds how deeply an expression may nest, by its text: parsing a deeper one would exhaust the interpreter's stack."""

from __future__ import annotations

import re

MOST_NESTED = 30
"""Brackets inside each other. Jinja's parser takes fifteen frames of Python's stack for each."""

_QUOTED = re.compile(r"'[^'\\]*(?:\\.[^'\\]*)*'|\"[^\"\\]*(?:\\.[^\"\\]*)*\"", re.DOTALL)
_BRACKETS = re.compile(r"[()\[\]{}]")


def too_deep(expression: str) -> bool:
    """Whether more than `MOST_NESTED` brackets are open at once; those in quoted texts do not count."""
    depth = 0
    for bracket in _BRACKETS.findall(_QUOTED.sub("", expression)):
        depth = depth + 1 if bracket in "([{" else max(0, depth - 1)
        if depth > MOST_NESTED:
            return True
    return False
