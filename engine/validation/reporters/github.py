"""Problems as annotations that GitHub shows beside the changed lines (its workflow commands)."""

from __future__ import annotations

from engine.core.source import Problem
from engine.validation.reporters.report import Report


def render(report: Report) -> str:
    """One workflow command a problem."""
    return "".join(f"{_command(problem)}\n" for problem in report.problems)


def _command(problem: Problem) -> str:
    span = problem.span
    fields = {"file": span.file, "line": span.line, "col": span.column, "title": problem.code}
    if span.end_line == span.line and span.end_column > span.column:
        # An end column counts for GitHub on one line only, and is inclusive there.
        fields |= {"endLine": span.end_line, "endColumn": span.end_column - 1}
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in fields.items())
    words = f"{problem.message}: {problem.hint}" if problem.hint else problem.message
    return f"::{problem.severity} {listed}::{_data(words)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
