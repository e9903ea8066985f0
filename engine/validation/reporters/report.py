"""What a validation came to, and its forms for programs and code hosts: JSON, GitHub's annotations, SARIF 2.1.0."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from engine.core.source import Problem

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Problems sorted by place; `files` and `replies` were looked at, in `seconds`."""

    problems: tuple[Problem, ...]
    files: int
    replies: int
    seconds: float

    @property
    def errors(self) -> int:
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def warnings(self) -> int:
        return len(self.problems) - self.errors


def to_json(report: Report) -> str:
    """One JSON object; lines and columns count from 1, end columns are exclusive."""
    found = {
        "problems": [_object(problem) for problem in report.problems],
        "errors": report.errors,
        "warnings": report.warnings,
        "files": report.files,
        "replies": report.replies,
        "seconds": round(report.seconds, 3),
    }
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def _object(problem: Problem) -> dict[str, str | int]:
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


def to_github(report: Report) -> str:
    """Annotations that GitHub shows beside the changed lines: one workflow command a problem."""
    return "".join(f"{_command(problem)}\n" for problem in report.problems)


def _command(problem: Problem) -> str:
    span = problem.span
    fields = {"file": span.file, "line": span.line, "col": span.column, "title": problem.code}
    if span.end_line == span.line and span.end_column > span.column:
        # An end column counts for GitHub on one line only, and is inclusive there.
        fields |= {"endLine": span.end_line, "endColumn": span.end_column - 1}
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in fields.items())
    return f"::{problem.severity} {listed}::{_data(_words(problem))}"


def _words(problem: Problem) -> str:
    return f"{problem.message}: {problem.hint}" if problem.hint else problem.message


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def to_sarif(report: Report) -> str:
    """A log for code scanning and for editors, with one run."""
    from engine.validation.codes import CODES  # noqa: PLC0415  the titles of all checks, for one format

    used = sorted({problem.code for problem in report.problems})
    places = {code: place for place, code in enumerate(used)}
    run = {
        "tool": {
            "driver": {
                "name": "misaki validate",
                "rules": [{"id": code, "shortDescription": {"text": CODES[code].title}} for code in used],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, places[problem.code]) for problem in report.problems],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _result(problem: Problem, rule: int) -> dict[str, Any]:
    span = problem.span
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    place = {"artifactLocation": {"uri": quote(span.file)}, "region": region}
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": _words(problem)},
        "locations": [{"physicalLocation": place}],
    }
