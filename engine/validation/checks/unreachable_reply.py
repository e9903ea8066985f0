"""P508: a reply that nothing can select: no trigger, no `say` step, no step that looks for such replies at all."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.validation.checks.unreachable_step import waits_for
from engine.validation.subject import Subject

P508 = Code("P508", "a reply that nothing says", severity="warning")


def check(subject: Subject) -> Iterator[Problem]:
    spec = subject.spec
    if not subject.sound_steps:
        return
    said = {reply.value for step in spec.steps for reply in step.replies}
    if spec.limits is not None and spec.limits.reply is not None:
        said.add(spec.limits.reply.value)
    searched = any(step.searches for step in spec.steps)
    listening = [step for step in spec.steps if step.listens]
    if not searched and any(reply.match for reply in spec.replies):
        message = "no step looks for these replies"
        hint = "add a step of kind `replies`"
        yield P508.problem(message, spec.reply_globs[0].span, hint)
    if not said <= {reply.id.value for reply in spec.replies}:
        return
    for place, reply in enumerate(spec.replies):
        waits = any(waits_for(reply, step) for step in listening)
        if not reply.match and not waits and reply.id.value not in said and place not in subject.unsure_replies:
            message = f"nothing says the reply `{reply.id.value}`"
            hint = "give it a `match`, or name it in a step of kind `say`"
            if reply.otherwise:
                hint = "add a step of kind `replies` with `otherwise: true`"
            yield P508.problem(message, reply.id.span, hint)
