"""Problems for programs."""

from __future__ import annotations

import json

from engine.core.source import Problem
from engine.validation.reporters.report import Report


def render(report: Report) -> str:
    """One JSON object; lines and columns count from 1, end columns are exclusive."""
    found = {
        "problems": [_problem(problem) for problem in report.problems],
        "errors": report.errors,
        "warnings": report.warnings,
        "files": report.files,
        "replies": report.replies,
        "seconds": round(report.seconds, 3),
    }
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def _problem(problem: Problem) -> dict[str, str | int]:
    span = problem.span
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }
