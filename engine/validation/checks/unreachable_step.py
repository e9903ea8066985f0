"""P506: a step that no turn can come to, because every way before it ends in an answer or jumps past it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.pipeline.spec import PipelineSpec, ReplySpec
from engine.steps.spec import StepSpec
from engine.validation.subject import Subject

P506 = Code("P506", "a step that is never reached")


def check(subject: Subject) -> Iterator[Problem]:
    if not subject.sound_steps:
        return
    came_to = reachable(subject.spec)
    for place, step in enumerate(subject.spec.steps):
        if place not in came_to:
            message = f"step `{step.id.value}` is never reached"
            hint = "give the step before it that always answers a `when`, or remove this one"
            yield P506.problem(message, step.id.span, hint)


def reachable(spec: PipelineSpec) -> set[int]:
    """The positions that a turn can come to; the number of steps among them when it can fall off the end."""
    order = {step.id.value: place for place, step in enumerate(spec.steps)}
    came_to = {0}
    for place, step in enumerate(spec.steps):
        if place in came_to and not _always_answers(step, spec):
            came_to.update(_ways_on(place, step, order))
    return came_to


def _always_answers(step: StepSpec, spec: PipelineSpec) -> bool:
    """Whether a step without `when` answers, or has a reply to say whatever the conditions of the others."""
    if step.when is not None:
        return False
    listens = step.listens and any(reply.when is None and waits_for(reply, step) for reply in spec.replies)
    return step.answers or listens


def waits_for(reply: ReplySpec, step: StepSpec) -> bool:
    """Whether `step`, which listens, may say `reply`."""
    wanted = {tag.value for tag in step.tags}
    return reply.otherwise and (not wanted or not wanted.isdisjoint(tag.value for tag in reply.tags))


def _ways_on(place: int, step: StepSpec, order: dict[str, int]) -> Iterator[int]:
    """Where a turn goes when the step does not answer."""
    target = step.escalate_to.value if step.escalate_to else None
    # A jump that is wrong by itself is reported as such.
    yield max(order.get(target, 0), place + 1) if target is not None else place + 1
    if step.when is not None:
        yield place + 1
