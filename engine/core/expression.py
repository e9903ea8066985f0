"""The tree that a condition compiles to: plain nodes of a closed set, with nothing in them to escape from.

Parsing (from Jinja's expression syntax) and evaluation live in `engine.templates`; this module only names the shapes.
"""

from __future__ import annotations

from typing import Union

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
