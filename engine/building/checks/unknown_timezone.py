"""P311: `timezone` is none that the time zone database knows."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from engine.building.checks.subject import Subject
from engine.model.source import Problem
from engine.schema.suggest import nearest


def check(subject: Subject) -> Iterator[Problem]:
    zone = subject.spec.timezone
    try:
        ZoneInfo(zone.value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        close = nearest(zone.value, sorted(available_timezones()))
        hint = f"did you mean `{close}`?" if close else "write a name such as `Asia/Tokyo`"
        message = f"time zone `{zone.value}` does not exist"
        yield Problem(code="P311", message=message, span=zone.span, hint=hint)
