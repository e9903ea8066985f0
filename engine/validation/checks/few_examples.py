"""P520: a kind with too few examples to be told from the others."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.validation.subject import Subject

P520 = Code("P520", "a kind with too few examples", severity="warning")

FEW = 10


def check(subject: Subject) -> Iterator[Problem]:
    kinds = subject.spec.kinds if "kind" not in subject.lost else ()
    if len(kinds) == 1:
        message = f"`{kinds[0].name.value}` is the only kind, so every sentence is of it"
        hint = "write examples of what else is said, as a second kind"
        yield P520.problem(message, kinds[0].name.span, hint)
    for kind in kinds:
        if len(kind.examples) < FEW:
            count = f"{len(kind.examples)} example{'' if len(kind.examples) == 1 else 's'}"
            message = f"kind `{kind.name.value}` has only {count}"
            hint = f"write at least {FEW}, as different people would say it"
            yield P520.problem(message, kind.name.span, hint)
