"""P513: replies that share a trigger and divide the day among them, but leave hours to nobody.

A heuristic: replies are taken for such a family when every reply with the trigger looks at the hour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from engine.core.expression import Condition
from engine.core.language import joined, phrase
from engine.core.source import Code, Problem
from engine.expressions.evaluate import holds
from engine.validation.subject import Placed, Subject
from engine.validation.worlds import first_to_hold, is_clock, paths_of, worlds

P513 = Code("P513", "hours that no reply covers", heuristic=True)

_HOUR = ("now", "hour")


def uncovered_hours(subject: Subject) -> Iterator[Problem]:
    if subject.unsure_replies:
        return
    families: dict[str, list[Placed]] = defaultdict(list)
    for placed, trigger, form in zip(subject.triggers, subject.index.triggers, subject.index.forms, strict=True):
        if trigger.kind == "fuzzy":
            families[form.text].append(placed)
    told: set[frozenset[int]] = set()
    for family in families.values():
        members = frozenset(placed.place for placed in family)
        if members not in told and len(members) > 1:
            told.add(members)
            yield from _gaps(subject, family)


def _gaps(subject: Subject, family: Sequence[Placed]) -> Iterator[Problem]:
    conditions = [subject.when(placed.place) for placed in family]
    hours = _uncovered([condition for condition in conditions if condition is not None and _by_the_clock(condition)])
    if len(hours) == 0 or not all(condition is not None and _by_the_clock(condition) for condition in conditions):
        return
    last = family[-1]
    message = phrase("nobody answers `{trigger}` {hours}", trigger=last.text.value, hours=_spoken(hours))
    names = ", ".join(dict.fromkeys(f"`{placed.reply.id.value}`" for placed in family))
    hint = phrase("the hours of {names} leave a gap", names=names)
    span = last.reply.when.span if last.reply.when else last.text.span
    yield P513.problem(message, span, hint)


def _by_the_clock(condition: Condition) -> bool:
    paths = paths_of(condition)
    return _HOUR in paths and all(is_clock(path) for path in paths)


def _uncovered(conditions: Sequence[Condition]) -> list[int]:
    """Hours in which, on some day, no condition holds; none where one never does, which is a mistake of its own."""
    found = worlds(conditions, "") if conditions else None
    if found is None or not all(any(holds(condition, names) for names in found.each) for condition in conditions):
        return []
    return sorted({names["now"]["hour"] for names in found.each if first_to_hold(conditions, names) is None})


def _spoken(hours: Sequence[int]) -> str:
    """Hours as ranges: `from 2 to 5 o'clock`."""
    ranges: list[list[int]] = []
    for hour in hours:
        if ranges and ranges[-1][1] == hour:
            ranges[-1][1] = hour + 1
        else:
            ranges.append([hour, hour + 1])
    parts = (phrase("{first} to {last}", first=first, last=last) for first, last in ranges)
    return phrase("from {hours} o'clock", hours=joined("{before} and {after}", parts))
