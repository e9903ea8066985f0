"""P311: `timezone` is none that the time zone database knows."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from engine.core.source import Code, Problem
from engine.pipeline.schema.advice import nearest
from engine.validation.subject import Subject

P311 = Code("P311", "an unknown time zone")


def check(subject: Subject) -> Iterator[Problem]:
    zone = subject.spec.timezone
    try:
        ZoneInfo(zone.value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        close = _meant(zone.value)
        hint = f"did you mean `{close}`?" if close else "write a name such as `Asia/Tokyo`"
        message = f"time zone `{zone.value}` does not exist"
        yield P311.problem(message, zone.span, hint)


def _meant(name: str) -> str | None:
    """The zone of a city without its continent, or one that is spelt alike; abbreviations are all alike."""
    known = sorted(zone for zone in available_timezones() if "/" in zone)
    city = next((zone for zone in known if zone.rpartition("/")[2].casefold() == name.casefold()), None)
    return city or nearest(name, known)
