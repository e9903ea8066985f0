"""P406: a `regex` trigger that the linear-time engine cannot run, or that matches everything or nothing."""

from __future__ import annotations

from collections.abc import Iterator

from engine.building.checks.subject import Subject, regex_mistake
from engine.model.source import Problem
from engine.model.spec import RegexTrigger


def check(subject: Subject) -> Iterator[Problem]:
    for reply in subject.spec.replies:
        for trigger in reply.match:
            if isinstance(trigger, RegexTrigger) and (found := regex_mistake(trigger.pattern.value)):
                message, hint = found
                yield Problem(code="P406", message=message, span=trigger.pattern.span, hint=hint)
