"""P406: a `regex` trigger that the linear-time engine cannot run, or that matches everything or nothing."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Problem
from engine.validation.subject import TOO_MANY_REGEXES, Subject


def check(subject: Subject) -> Iterator[Problem]:
    told = False
    for span, mistake in subject.broken_regexes.items():
        message, hint = mistake
        if mistake is TOO_MANY_REGEXES and told:
            continue
        told = told or mistake is TOO_MANY_REGEXES
        yield Problem(code="P406", message=message, span=span, hint=hint)
