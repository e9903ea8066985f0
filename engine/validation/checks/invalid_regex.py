"""P406: a `regex` trigger that the linear-time engine cannot run, or that matches everything or nothing."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.validation.subject import TOO_MANY_REGEXES, Subject

P406 = Code("P406", "a regex that cannot be used")


def check(subject: Subject) -> Iterator[Problem]:
    told = False
    for span, mistake in subject.broken_regexes.items():
        message, hint = mistake
        if mistake is TOO_MANY_REGEXES and told:
            continue
        told = told or mistake is TOO_MANY_REGEXES
        yield P406.problem(message, span, hint)
