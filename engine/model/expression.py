"""The tree that a condition compiles to: plain nodes of a closed set, with nothing in them to escape from.

Parsing (from Jinja's expression syntax) and evaluation live in `engine.prompts`; this module only names the shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

Scalar = Union[str, int, float, bool, None]
Value = Union[Scalar, tuple[Scalar, ...]]


@dataclass(frozen=True, slots=True)
class Constant:
    value: Value


@dataclass(frozen=True, slots=True)
class Name:
    """A name with its attributes: `now.hour` is `("now", "hour")`."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, and the short-circuiting `and` and `or`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Comparison:
    """`first op second op third …`, chained as in Python."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """`then if test else otherwise`."""

    test: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Expression, ...]


Expression = Union[Constant, Name, Unary, Binary, Comparison, Choice, Call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A compiled `when` or `if`, with the words the editor wrote."""

    source: str
    tree: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text that may hold Jinja; `constant` when rendering cannot change it, so that Jinja need not load."""

    source: str
    origin: str
    constant: bool
