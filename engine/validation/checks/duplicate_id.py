"""P303: two steps, two replies or two kinds have the same name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.core.source import Code, Problem, Span, Text
from engine.validation.subject import Subject

P303 = Code("P303", "an id that stands twice")

_PLURAL = {"step": "steps", "reply": "replies", "kind": "kinds"}


def check(subject: Subject) -> Iterator[Problem]:
    yield from _twice("step", (step.id for step in subject.spec.steps))
    yield from _twice("reply", (reply.id for reply in subject.spec.replies))
    yield from _twice("kind", (kind.name for kind in subject.spec.kinds))


def _twice(what: str, ids: Iterable[Text]) -> Iterator[Problem]:
    first: dict[str, Span] = {}
    for name in ids:
        if name.value in first:
            message = f"two {_PLURAL[what]} have the id `{name.value}`"
            hint = f"rename one; the first stands at {first[name.value]}"
            yield P303.problem(message, name.span, hint)
        first.setdefault(name.value, name.span)
