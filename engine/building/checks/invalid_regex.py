"""P406: a `regex` trigger that the linear-time engine cannot run, or that matches everything."""

from __future__ import annotations

from collections.abc import Iterator

from engine.building.checks.subject import Subject
from engine.matching.regexes import regex_problem
from engine.model.source import Problem
from engine.model.spec import RegexTrigger


def check(subject: Subject) -> Iterator[Problem]:
    for reply in subject.spec.replies:
        for trigger in reply.match:
            found = regex_problem(trigger.pattern.value) if isinstance(trigger, RegexTrigger) else None
            if found is not None and isinstance(trigger, RegexTrigger):
                yield Problem(code="P406", message=found, span=trigger.pattern.span)
