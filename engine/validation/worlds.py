"""The situations in which conditions can be tried: every hour, weekday and month they look at, the rest sampled.

What conditions see of the clock is a small closed set, so what is said of conditions over it is exact. What they see
of clients, variables and sessions is open; there the values that the conditions themselves compare with are tried, and
the answer is a guess (`exact` is false).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from engine.core.expression import Call, Comparison, Condition, Constant, Expression, Name
from engine.expressions.evaluate import holds, parts_of

MAX_WORLDS = 4_000
"""Situations tried for one question; beyond them no answer is given."""

_CLOCK: Mapping[tuple[str, ...], Sequence[int]] = {
    ("now", "hour"): range(24),
    ("now", "weekday"): range(7),
    ("now", "month"): range(1, 13),
    ("now", "day"): range(1, 32),
}
_TEXT = ("text",)
_SPOKEN = frozenset(
    {("last", "text"), ("last", "user"), ("last", "offered"), ("session", "offered"), ("topic",), ("words", "topic")}
)
_SENTENCES = ("枝豆はいかが？", "An apple, perhaps?")
"""Stand for what was said before a turn, in either language."""


@dataclass(frozen=True, slots=True)
class Worlds:
    """The situations in which a `text` is said, and each of `paths` has any value of its domain; `exact` when no other
    situation can differ from all of them.
    """

    text: str
    paths: Sequence[tuple[str, ...]]
    domains: Sequence[Sequence[Any]]
    exact: bool

    @property
    def each(self) -> Iterator[Mapping[str, Any]]:
        """The situations as names for evaluation."""
        return (_names(self.text, dict(zip(self.paths, chosen, strict=True))) for chosen in product(*self.domains))


def worlds(conditions: Sequence[Condition | None], text: str) -> Worlds | None:
    """The situations that matter to `conditions` when a user says `text`; `None` where they are too many."""
    present = [condition for condition in conditions if condition is not None]
    paths = sorted({path for condition in present for path in paths_of(condition)} - {_TEXT})
    domains = [
        _domain(path, {one for condition in present for one in _compared(condition.tree, path)}) for path in paths
    ]
    if math.prod(len(domain) for domain in domains) > MAX_WORLDS:
        return None
    return Worlds(text, paths, domains, exact=all(path in _CLOCK for path in paths))


def wins(better: Sequence[Condition | None], own: Condition | None, text: str) -> bool:
    """Whether there is a situation in which `own` holds and none of `better`; where nobody can tell, it may be."""
    return None not in better and _wins(tuple(better), own, _heard((*better, own), text))


@lru_cache(maxsize=4096)
def _wins(better: tuple[Condition | None, ...], own: Condition | None, text: str) -> bool:
    found = worlds((*better, own), text)
    return found is None or any(first_to_hold((*better, own), names) == len(better) for names in found.each)


def _heard(conditions: Sequence[Condition | None], text: str) -> str:
    """`text` where one of the conditions looks at it."""
    return text if any(one is not None and _TEXT in paths_of(one) for one in conditions) else ""


def first_to_hold(conditions: Sequence[Condition | None], names: Mapping[str, Any]) -> int | None:
    """The position of the first condition that is true in a situation; no condition always is."""
    return next((place for place, condition in enumerate(conditions) if holds(condition, names)), None)


@dataclass(frozen=True, slots=True)
class Beaten:
    """`by` is the position of a condition that holds first; `exact` when that is certain."""

    by: int
    exact: bool


def always_beaten(better: Sequence[Condition | None], own: Condition | None, text: str) -> Beaten | None:
    """Who stands before `own` in every situation in which it holds, if it holds in any.

    `None` where `own` is first at least once, never holds at all, or the situations are too many to tell.
    """
    return _always_beaten(tuple(better), own, _heard((*better, own), text))


@lru_cache(maxsize=4096)
def _always_beaten(better: tuple[Condition | None, ...], own: Condition | None, text: str) -> Beaten | None:
    found = worlds((*better, own), text)
    if found is None:
        return None
    by: int | None = None
    for names in found.each:
        if holds(own, names):
            first = first_to_hold(better, names)
            if first is None:
                return None
            by = first if by is None else by
    return None if by is None else Beaten(by=by, exact=found.exact or better[by] is None)


@lru_cache(maxsize=4096)
def paths_of(condition: Condition) -> frozenset[tuple[str, ...]]:
    """Every name that a condition looks at, with its attributes."""
    return frozenset(_paths(condition.tree))


def is_clock(path: tuple[str, ...]) -> bool:
    """Whether all values of this name are tried."""
    return path in _CLOCK


def _domain(path: tuple[str, ...], values: set[Any]) -> Sequence[Any]:
    if path in _CLOCK:
        return _CLOCK[path]
    numbers = {value for value in values if isinstance(value, int | float) and not isinstance(value, bool)}
    if path in (("now", "minute"), ("turn", "number"), ("session", "turns"), ("now", "year")):
        near = {number + shift for number in numbers for shift in (-1, 0, 1)}
        return sorted(near | {0, 1, 2})
    if path == ("visitor", "visits"):
        return sorted({number + shift for number in numbers for shift in (-1, 0, 1)} | {1, 2})
    if path == ("visitor", "days_away"):
        return [None, *sorted({number + shift for number in numbers for shift in (-0.5, 0, 0.5)} | {1.0})]
    known = (None, *_SENTENCES) if path in _SPOKEN or path[0] == "memory" else (None, True)
    return [*known, *sorted(values - {*known}, key=repr)]


def _names(text: str, chosen: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    names: dict[str, Any] = {"text": text}
    for path, value in chosen.items():
        holder = names
        for part in path[:-1]:
            inner = holder.get(part)
            if not isinstance(inner, dict):
                inner = {}
                holder[part] = inner
            holder = inner
        holder.setdefault(path[-1], value)
    return names


def _paths(tree: Expression) -> Iterator[tuple[str, ...]]:
    if isinstance(tree, Name):
        yield tree.path
    for part in parts_of(tree):
        yield from _paths(part)


def _compared(tree: Expression, path: tuple[str, ...]) -> Iterator[Any]:
    """The constants that stand in a comparison or a call with the name `path`."""
    if isinstance(tree, Comparison | Call):
        if path in _paths(tree):
            yield from _constants(tree)
        return
    for part in parts_of(tree):
        yield from _compared(part, path)


def _constants(tree: Expression) -> Iterator[Any]:
    if isinstance(tree, Constant):
        yield from tree.value if isinstance(tree.value, tuple) else (tree.value,)
    for part in parts_of(tree):
        yield from _constants(part)
