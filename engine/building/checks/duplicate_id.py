"""P303: two steps, or two replies, have the same id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.building.checks.subject import Subject
from engine.model.source import Problem, Span
from engine.model.spec import Text


def check(subject: Subject) -> Iterator[Problem]:
    yield from _twice("step", (step.id for step in subject.spec.steps))
    yield from _twice("reply", (reply.id for reply in subject.spec.replies))


def _twice(what: str, ids: Iterable[Text]) -> Iterator[Problem]:
    first: dict[str, Span] = {}
    for name in ids:
        if name.value in first:
            message = f"two {'replies' if what == 'reply' else 'steps'} have the id `{name.value}`"
            hint = f"rename one; the first stands at {first[name.value]}"
            yield Problem(code="P303", message=message, span=name.span, hint=hint)
        first.setdefault(name.value, name.span)
