"""Problems as SARIF 2.1.0, for code scanning and for editors."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from engine.core.source import Problem
from engine.validation.codes import CODES
from engine.validation.reporters.report import Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(report: Report) -> str:
    """One SARIF log with one run."""
    used = sorted({problem.code for problem in report.problems})
    places = {code: place for place, code in enumerate(used)}
    run = {
        "tool": {"driver": {"name": "misaki validate", "rules": [_rule(code) for code in used]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, places[problem.code]) for problem in report.problems],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    return {"id": code, "shortDescription": {"text": CODES[code].title}}


def _result(problem: Problem, rule: int) -> dict[str, Any]:
    span = problem.span
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    place = {"artifactLocation": {"uri": quote(span.file)}, "region": region}
    words = f"{problem.message}: {problem.hint}" if problem.hint else problem.message
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": words},
        "locations": [{"physicalLocation": place}],
    }
