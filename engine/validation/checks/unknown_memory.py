"""P316: a reply remembers or forgets something that the pipeline does not list under `memory`."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.pipeline.schema.advice import hint
from engine.validation.subject import Subject

P316 = Code("P316", "a memory that the pipeline does not have")


def check(subject: Subject) -> Iterator[Problem]:
    known = [row.name.value for row in subject.spec.memory]
    for reply in subject.spec.replies:
        for verb, names in (("remembers", [name for name, _ in reply.remember]), ("forgets", reply.forget)):
            for name in names:
                if name.value not in known:
                    message = f"reply `{reply.id.value}` {verb} `{name.value}`, which the pipeline does not have"
                    add = f"add `{name.value}: {{label: …}}` under `memory` of the pipeline"
                    yield P316.problem(message, name.span, hint(name.value, known) or add)
