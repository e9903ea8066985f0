"""P307: a `say` step, or `limits`, names a reply that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.pipeline.schema.advice import nearest
from engine.pipeline.schema.mend import STAND_IN
from engine.validation.subject import Subject

P307 = Code("P307", "an unknown reply")


def check(subject: Subject) -> Iterator[Problem]:
    known = [reply.id.value for reply in subject.spec.replies]
    named = [(f"step `{one.id.value}`", name) for one in subject.spec.steps for name in one.replies]
    if subject.spec.limits is not None and subject.spec.limits.reply is not None:
        named.append(("`limits`", subject.spec.limits.reply))
    for who, name in named:
        # A reply that is missing only because its own mistakes took it out of the spec is reported as those.
        if name.value not in (*known, STAND_IN) and "reply" not in subject.lost:
            close = nearest(name.value, known)
            hint = f"did you mean `{close}`?" if close else "write a reply with this `id` in a replies file"
            message = f"{who} says the reply `{name.value}`, which does not exist"
            yield P307.problem(message, name.span, hint)
