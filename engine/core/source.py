"""Represents places in source files, and the problems found there.

A `Span` travels from the reader to every later stage, so that a mistake found anywhere can be shown at its line.
This module knows neither how files are read nor how problems are printed.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar, Union

from engine.core.expression import Scalar, Value
from engine.core.record import record

T_co = TypeVar("T_co", covariant=True)

Severity = Literal["error", "warning"]


@record
class Span:
    """A stretch of a source file; lines and columns count from 1, the end column is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __lt__(self, other: Span) -> bool:
        return self._place < other._place

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def _place(self) -> tuple[str, int, int, int, int]:
        return (self.file, self.line, self.column, self.end_line, self.end_column)


_PUT = tuple(Span.__dict__[name].__set__ for name in ("file", "line", "column", "end_line", "end_column"))


def span(file: str, line: int, column: int, end_line: int, end_column: int) -> Span:
    """A `Span` from its fields in order: for reading, which makes one for every value, in a third of the time."""
    made = object.__new__(Span)
    _PUT[0](made, file)
    _PUT[1](made, line)
    _PUT[2](made, column)
    _PUT[3](made, end_line)
    _PUT[4](made, end_column)
    return made


@record
class Located(Generic[T_co]):
    """A value together with the place where an editor wrote it."""

    value: T_co
    span: Span


@record
class EnvRef:
    """`${NAME:default}`: a typed value from the environment; `default` is already parsed as a YAML scalar."""

    name: str
    default: Scalar
    has_default: bool


Text = Located[str]
Setting = Located[Union[Value, EnvRef]]
"""A literal or a reference to the environment."""


@record(kw_only=False)
class Code:
    """A kind of mistake, by the `name` that its reports and its page have; `severity` is how grave it usually is.

    `heuristic` marks a check that can be wrong; such a problem is never more than a warning.
    """

    name: str
    title: str
    severity: Severity = "error"
    heuristic: bool = False

    def problem(self, message: str, span: Span, hint: str = "", severity: Severity | None = None) -> Problem:
        """A mistake of this kind; `severity` where it is not the usual one."""
        usual: Severity = "warning" if self.heuristic else self.severity
        return Problem(code=self.name, message=message, span=span, severity=severity or usual, hint=hint)


@record
class Problem:
    """One mistake: `code` names its page in the docs, `hint` says what to write instead."""

    code: str
    message: str
    span: Span
    severity: Severity = "error"
    hint: str = ""

    @property
    def sort_key(self) -> tuple[Span, str, str]:
        return (self.span, self.code, self.message)

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.span}: {self.severity} {self.code} {self.message}{hint}"
