"""Tells which of two lines is indented wrongly, and by how many spaces it should be, from the lines around them.

Works on lines alone and knows no grammar, as `engine.pipeline.reading.slips`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from engine.core.language import phrase
from engine.core.source import Problem
from engine.pipeline.reading.files import at, problem

FAR = 50
"""Lines above and below that are looked at."""

_KEY = re.compile(r"(?P<before> *(?:- +)*)(?P<key>[\w-]+):(?:\s|$)")
_CONTENT = re.compile(r" *(?P<dash>(?:- +)*)(?=[^\s#])")
_STEP = 2
"""Columns of a dash and its space."""
_NEAR = 3
"""Columns that a key may be away from those above it and still be meant to stand under them."""


def aligned(every: Sequence[str], number: int) -> str:
    """Advises how far to indent line `number`, by the key above that it comes closest to; empty where none is near."""
    found = _KEY.match(every[number - 1])
    if found is None:
        return ""
    column, indent = len(found["before"]), _indent(every[number - 1])
    # What stands below a key without a value belongs to it, and must stay further right.
    is_bare = found.end() >= len(every[number - 1].rstrip())
    below = [_indent(line) for line in every[number : number + FAR] if is_bare and _CONTENT.match(line)]
    keys = ((above, _KEY.match(every[above - 1])) for above in range(number - 1, max(0, number - FAR), -1))
    near = [(len(key["before"]), key["key"], above) for above, key in keys if key]
    near = [one for one in near if one[0] != column and not (below and one[0] - column + indent >= below[0])]
    there, key, line = min(near, key=lambda one: abs(one[0] - column), default=(column + _NEAR + 1, "", 0))
    if abs(there - column) > _NEAR or there < column - indent:
        return ""
    return phrase("{by}, in line with `{key}` on line {line}", by=_by(there - column + indent), key=key, line=line)


def aligned_item(every: Sequence[str], number: int) -> str:
    """Advises how far to indent the item on line `number`, by the nearest item above of another column."""
    column = _indent(every[number - 1])
    above = (at for at in range(number - 1, max(0, number - FAR), -1) if every[at - 1].lstrip(" ").startswith("- "))
    columns = {_indent(every[at - 1]): at for at in reversed(list(above))}
    near = min((one for one in columns if one != column), key=lambda one: abs(one - column), default=None)
    if near is None or abs(near - column) > _NEAR:
        return ""
    return phrase("{by}, in line with the `-` on line {line}", by=_by(near), line=columns[near])


def odd_one(every: Sequence[str], number: int, file: str) -> Problem | None:
    """The one line above that does not fit line `number` and what follows that; none where that line is the odd one.

    Either it is alone among its siblings, or it is indented by an odd number of spaces and they are by an even one.
    """
    line = every[number - 1]
    column = _indent(line)
    above = _far_item(every, number, column) or _siblings_above(every, number, column)
    if above is None:
        return None
    wrong, its_column, many = above
    if its_column == column:
        message = phrase("this item is not in line with the others of its list")
        return problem("P101", message, at(file, wrong, column + 1), _by(column - _STEP))
    below = _siblings_below(every, number, column)
    if many > 1 or (below < 2 and not _is_odd(its_column, column)):
        return None
    message = phrase("this line is not in line with those below it")
    hint = phrase("{by}, in line with line {line}", by=_by(column), line=number)
    return problem("P101", message, at(file, wrong, its_column + 1), hint)


def _far_item(every: Sequence[str], number: int, column: int) -> tuple[int, int, int] | None:
    """The item right above a key that stands under its dash, where other items of the list stand a step to the left."""
    line, above = every[number - 1], every[number - 2] if number > 1 else ""
    others = re.compile(rf" {{{column - _STEP}}}- ") if column >= _STEP else None
    item = re.match(rf" {{{column}}}- ", above) and _KEY.match(above)
    if others is None or not item or not _KEY.match(line) or line.lstrip()[:1] == "-":
        return None
    near = every[max(0, number - FAR) : number + FAR]
    return (number - 1, column, 1) if any(map(others.match, near)) else None


def _is_odd(one: int, other: int) -> bool:
    return one % 2 == 1 and other % 2 == 0


def _siblings_above(every: Sequence[str], number: int, column: int) -> tuple[int, int, int] | None:
    """The nearest line above that was meant as a sibling of line `number`, its column, and how many stand in it."""
    lines = [above for above in range(number - 1, max(0, number - FAR), -1) if _CONTENT.match(every[above - 1])]
    deeper = list(takewhile(lambda above: _indent(every[above - 1]) > column, lines))
    parent = lines[len(deeper)] if len(deeper) < len(lines) else None
    if deeper and parent is not None and column not in _columns(every[parent - 1]):
        # Deeper than line `number`, which itself is deeper than what holds both.
        least = min(_indent(every[above - 1]) for above in deeper)
        same = [above for above in deeper if _indent(every[above - 1]) == least]
        if len(same) > 1 and _is_odd(_indent(every[parent - 1]), column):
            return parent, _indent(every[parent - 1]), 1
        return same[-1], least, len(same)
    if not deeper and parent is not None and re.search(r":\s+\S|- +\S", every[parent - 1]):
        its_column = _indent(every[parent - 1])
        if its_column == column:
            return None
        left = next((place for place, above in enumerate(lines) if _indent(every[above - 1]) < its_column), len(lines))
        same = [above for above in lines[: left + 1] if its_column in _columns(every[above - 1])]
        return parent, its_column, len(same)
    return None


def _siblings_below(every: Sequence[str], number: int, column: int) -> int:
    """Counts the lines from line `number` on that begin in its column, up to one that stands further left."""
    columns = [_indent(line) for line in every[number - 1 : number + FAR] if _CONTENT.match(line)]
    return sum(one == column for one in takewhile(lambda one: one >= column, columns))


def _columns(line: str) -> tuple[int, ...]:
    """The columns of a line's beginning, and of its content behind a dash."""
    found = _CONTENT.match(line)
    return (_indent(line), found.end()) if found else (_indent(line),)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _by(spaces: int) -> str:
    return phrase("indent it by 1 space") if spaces == 1 else phrase("indent it by {spaces} spaces", spaces=spaces)
