"""P509, P410: a condition that is never true, or always: the hours do not meet, or everything is let through; and a
comparison in it that means nothing.

P509 is only for conditions that look at the clock, where every hour and day can be tried; a plain `false` is a choice.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem, Text
from engine.expressions.evaluate import holds
from engine.pipeline.reading.files import shortened
from engine.validation.checks.broken_condition import decisions
from engine.validation.comparisons import Mistake, mistake
from engine.validation.subject import Subject
from engine.validation.worlds import is_clock, paths_of, worlds

P509 = Code("P509", "a condition that is never true, or always")
P410 = Code("P410", "a comparison that means nothing", severity="warning")

_BOUNDS = {
    "hour": "hours are 0 to 23; write `or` where they pass midnight",
    "weekday": "weekdays are 0 for Monday to 6 for Sunday",
    "day": "days are 1 to 31",
    "month": "months are 1 to 12",
}


def check(subject: Subject) -> Iterator[Problem]:
    seen: dict[str, tuple[str | None, Mistake | None]] = {}
    for text, scope in decisions(subject):
        if text.value not in seen:
            condition = subject.condition(text)
            seen[text.value] = _verdict(subject, text), None if condition is None else mistake(condition, scope)
        verdict, wrong = seen[text.value]
        if verdict is not None:
            hint = _bounds(subject, text) if verdict == "never" else "write `and` between the bounds"
            message = f"condition `{shortened(text.value, 80)}` is {verdict} true"
            yield P509.problem(message, text.span, wrong.hint if wrong else hint)
        elif wrong is not None:
            place = subject.sources.find(text.span, wrong.word)
            yield P410.problem(wrong.message, place, wrong.hint)


def _verdict(subject: Subject, text: Text) -> str | None:
    condition = subject.condition(text)
    if condition is None or not paths_of(condition) or not all(map(is_clock, paths_of(condition))):
        return None
    found = worlds([condition], "")
    if found is None:
        return None
    outcomes = {holds(condition, names) for names in found.each}
    return {frozenset({False}): "never", frozenset({True}): "always"}.get(frozenset(outcomes))


def _bounds(subject: Subject, text: Text) -> str:
    """What the clock's numbers can be, of those that a condition looks at."""
    condition = subject.condition(text)
    looked_at = {path[-1] for path in paths_of(condition)} if condition else ()
    return "; ".join(bounds for name, bounds in _BOUNDS.items() if name in looked_at)
