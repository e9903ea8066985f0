"""P516: a reply that says the same thing twice."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.validation.subject import Subject

P516 = Code("P516", "the same variant twice", severity="warning")


def check(subject: Subject) -> Iterator[Problem]:
    for reply in subject.spec.replies:
        seen: dict[str, int] = {}
        for variant in reply.say:
            words = " ".join(variant.text.value.split())
            if words in seen:
                message = f"reply `{reply.id.value}` has this variant already, on line {seen[words]}"
                hint = "reword it, or remove it and give the other one a `weight`"
                yield P516.problem(message, variant.text.span, hint)
            seen.setdefault(words, variant.text.span.line)
