"""P203: a key of the persona's own data, one edit away from a key that the engine reads. A warning: it may be meant."""

from __future__ import annotations

from collections.abc import Iterator

from rapidfuzz.distance import OSA

from engine.core.source import Code, Problem
from engine.pipeline.schema.shape import schema_of
from engine.validation.subject import Subject

P203 = Code("P203", "an unknown key")
"""An error where the schema refuses a key."""


def check(subject: Subject) -> Iterator[Problem]:
    persona = subject.spec.persona
    known = set(schema_of("pipeline")["$defs"]["persona"]["properties"])
    for key in persona.data:
        close = next((name for name in sorted(known) if OSA.distance(key, name) == 1), None)
        if key not in known and close is not None and close not in persona.data:
            message = f"key `{key}` in `persona` is your own data, which only templates read"
            span = subject.sources.find(persona.span, key)
            yield P203.problem(message, span, f"did you mean `{close}`?", severity="warning")
