"""Represents compiled conditions as trees of plain nodes, and the names that they see.

Parsing and evaluation live in `engine.expressions`; here are the shapes, and the names that conditions see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Union

from engine.core.record import record

Scalar = Union[str, int, float, bool, None]
Value = Union[Scalar, tuple[Scalar, ...]]


@record(kw_only=False)
class Constant:
    value: Value


@record(kw_only=False)
class Name:
    """A name with its attributes: `now.hour` is `("now", "hour")`."""

    path: tuple[str, ...]


@record(kw_only=False)
class Unary:
    operator: str
    operand: Expression


@record(kw_only=False)
class Binary:
    """Arithmetic, and the short-circuiting `and` and `or`."""

    operator: str
    left: Expression
    right: Expression


@record(kw_only=False)
class Comparison:
    """`first op second op third …`, chained as in Python."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@record(kw_only=False)
class Choice:
    """`then if test else otherwise`."""

    test: Expression
    then: Expression
    otherwise: Expression


@record(kw_only=False)
class Call:
    function: str
    arguments: tuple[Expression, ...]


Expression = Union[Constant, Name, Unary, Binary, Comparison, Choice, Call]


@record
class Condition:
    """A compiled `when` or `if`, with the words the editor wrote."""

    source: str
    tree: Expression

    def __hash__(self) -> int:
        return hash(self.source)


@record
class Template:
    """A text that may hold Jinja; `constant` when rendering cannot change it, so that Jinja need not load."""

    source: str
    origin: str
    constant: bool


class LazyMapping(Mapping[str, Any]):
    """Plain values, and values that a function computes once; for the thread of one turn."""

    def __init__(self, known: Mapping[str, Any], late: Mapping[str, Callable[[], Any]]) -> None:
        self._known = dict(known)
        self._late = dict(late)

    def __getitem__(self, name: str) -> Any:
        if name not in self._known and name in self._late:
            self._known[name] = self._late[name]()
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        yield from {**self._late, **self._known}

    def __len__(self) -> int:
        return len(self._late.keys() | self._known.keys())

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in self._late

    def also(self, **more: Any) -> LazyMapping:
        """A mapping with further values, which replace those of the same name; what is computed here is not kept."""
        return LazyMapping({**self._known, **more}, {name: partial(self.__getitem__, name) for name in self._late})
