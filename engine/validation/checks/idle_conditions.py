"""P509, P410: a condition that is never true, or always: the hours do not meet, or everything is let through; and a
comparison in it that means nothing.

P509 is only for conditions that look at the clock, where every hour and day can be tried; a plain `false` is a choice.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from itertools import pairwise

from engine.core.expression import Comparison, Condition, Constant, Expression, Name
from engine.core.language import joined, phrase
from engine.core.record import record
from engine.core.source import Code, Problem, Text
from engine.expressions.evaluate import holds, parts_of
from engine.expressions.scope import Scope
from engine.pipeline.reading.files import shortened
from engine.validation.checks.broken_conditions import decisions
from engine.validation.subject import Subject
from engine.validation.worlds import is_clock, paths_of, worlds

P509 = Code("P509", "a condition that is never true, or always")
P410 = Code("P410", "a comparison that means nothing", severity="warning")

_BOUNDS = {
    "hour": phrase("hours are 0 to 23; write `or` where they pass midnight"),
    "weekday": phrase("weekdays are 0 for Monday to 6 for Sunday"),
    "day": phrase("days are 1 to 31"),
    "month": phrase("months are 1 to 12"),
}
_NUMBERS = frozenset({"now.year", "now.month", "now.day", "now.hour", "now.minute", "now.weekday", "turn.number"})
_NUMBERS |= {
    "session.turns",
    "visitor.visits",
    "visitor.days_away",
    "output.tokens",
    "output.confidence",
    "output.seconds",
}
_RECORDS = frozenset({"vars", "env"})
"""Those that may have no part yet."""
_USUAL: Mapping[str, str] = {
    "now": "now.hour",
    "turn": "turn.number",
    "session": "session.turns",
    "client": "client.name",
    "visitor": "visitor.visits",
}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS_OF_WEEK = "月火水木金土日"


@record
class Mistake:
    """A comparison that means nothing; `word` is what to point at."""

    word: str
    message: str
    hint: str


def idle_conditions(subject: Subject) -> Iterator[Problem]:
    seen: dict[str, tuple[str | None, Mistake | None]] = {}
    for text, scope in decisions(subject):
        if text.value not in seen:
            condition = subject.condition(text)
            seen[text.value] = _verdict(subject, text), None if condition is None else mistake(condition, scope)
        verdict, wrong = seen[text.value]
        shown = shortened(text.value, 80)
        if verdict is not None:
            hint = _bounds(subject, text) if verdict == "never" else phrase("write `and` between the bounds")
            message = (
                phrase("condition `{text}` is never true", text=shown)
                if verdict == "never"
                else phrase("condition `{text}` is always true", text=shown)
            )
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
    return joined("{before}; {after}", (bounds for name, bounds in _BOUNDS.items() if name in looked_at))


def mistake(condition: Condition, scope: Scope) -> Mistake | None:
    """The first comparison of a condition that means nothing."""
    found = (_mistake(comparison, scope) for comparison in _comparisons(condition.tree))
    return next((one for one in found if one is not None), None)


def _comparisons(tree: Expression) -> Iterator[Comparison]:
    if isinstance(tree, Comparison):
        yield tree
    for part in parts_of(tree):
        yield from _comparisons(part)


def _mistake(comparison: Comparison, scope: Scope) -> Mistake | None:
    operands = (("", comparison.first), *comparison.rest)
    for (_, left), (operator, right) in pairwise(operands):
        pairs = ((left, right),) if operator in ("in", "not in") else ((left, right), (right, left))
        for one, other in pairs:
            whole = _record(one, scope)
            if whole:
                message = phrase("`{whole}` is no value that can be compared", whole=whole)
                return Mistake(word=whole, message=message, hint=_attribute(whole, scope))
            if isinstance(one, Name) and isinstance(other, Constant):
                found = _other_kind(".".join(one.path), operator, other)
                if found is not None:
                    return found
    return None


def _record(part: Expression, scope: Scope) -> str:
    """The name of a record that is compared whole; empty for a value."""
    if not isinstance(part, Name) or len(part.path) != 1:
        return ""
    attributes = scope.names.get(part.path[0], ())
    return part.path[0] if attributes is None or len(attributes) or part.path[0] in _RECORDS else ""


def _attribute(name: str, scope: Scope) -> str:
    """The part of a record that was probably meant."""
    usual = _USUAL.get(name)
    if usual:
        if name == "now":
            return phrase("write `now.hour` and a number, as in `now.hour >= 17`")
        return phrase("write `{usual}`", usual=usual)
    first = next(iter(sorted(scope.names.get(name) or ())), "name")
    return phrase("write a part of it, such as `{name}.{first}`", name=name, first=first)


def _other_kind(name: str, operator: str, other: Constant) -> Mistake | None:
    """A number that is compared with a text, or a text with a number."""
    if name in _NUMBERS and operator in ("in", "not in") and not isinstance(other.value, tuple):
        message = phrase("`{name}` is a number, and is in no text", name=name)
        return Mistake(word=name, message=message, hint=phrase("write the numbers in a list, as in `in [17, 18]`"))
    values = other.value if isinstance(other.value, tuple) else (other.value,)
    text = next((value for value in values if isinstance(value, str)), None)
    if name in _NUMBERS and text is not None:
        message = phrase("`{name}` is a number, and is compared with the text `{text}`", name=name, text=text)
        return Mistake(word=name, message=message, hint=_number(text))
    number = next((value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)), None)
    if name == "text" and number is not None:
        message = phrase("`text` is a text, and is compared with the number `{number}`", number=number)
        return Mistake(
            word=name,
            message=message,
            hint=phrase("write '{number}' in quotes, or `len(text)` for its length", number=number),
        )
    return None


def _number(text: str) -> str:
    """The number that was meant by `text`."""
    first = unicodedata.normalize("NFKC", text).partition(":")[0].strip().lower()
    if first.isdecimal():
        return phrase("write {number} without quotes", number=int(first))
    named = next((at for at, name in enumerate(_WEEKDAYS) if len(first) > 2 and name.startswith(first)), None)
    if named is None and first[:1] and first[0] in _DAYS_OF_WEEK:
        named = _DAYS_OF_WEEK.index(first[0])
    if named is None:
        return phrase("write a number without quotes")
    return phrase("write {number}: weekdays are 0 for Monday to 6 for Sunday", number=named)
