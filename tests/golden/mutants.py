"""Small harms to a pipeline, each as a change of its compiled plan: what a golden must notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from engine.model.plan import GenerateStep, Plan, RepliesStep, Reply, SayStep, Step, Variant
from engine.model.ports import Candidate, ReplyIndex


class Refused(Exception):
    """The harmed pipeline would not load: validation notices before any golden does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`reply` is the reply that was harmed, where it was one."""

    kind: str
    name: str
    change: Callable[[Plan], Plan]
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class WithoutReply:
    """An index that never finds one reply: what deleting its triggers comes to."""

    index: ReplyIndex
    reply: int

    def candidates(self, text: str, threshold: float) -> Sequence[Candidate]:
        return [one for one in self.index.candidates(text, threshold) if one.reply != self.reply]

    def is_trigger(self, text: str) -> bool:
        return self.index.is_trigger(text)


def mutants(plan: Plan) -> Iterator[Mutant]:
    """Every mutant of `plan`; those of replies first."""
    for place, reply in enumerate(plan.replies):
        yield Mutant(kind="delete", name=reply.id, reply=reply.id, change=_delete(place))
        for variant in range(len(reply.say)):
            name = f"{reply.id}[{variant}]"
            yield Mutant(kind="misspell", name=name, reply=reply.id, change=_variant(place, variant, _misspelt))
            # The weight of an only variant decides nothing.
            if len(reply.say) > 1:
                yield Mutant(kind="reweight", name=name, reply=reply.id, change=_variant(place, variant, _doubled))
    for step in plan.steps:
        if isinstance(step, RepliesStep):
            for shift in (-10, 10):
                yield Mutant(kind="threshold", name=f"{step.id} {shift:+}", change=_threshold(step.id, shift))
    for one, other in combinations(range(len(plan.steps)), 2):
        yield Mutant(kind="swap", name=f"{plan.steps[one].id} {plan.steps[other].id}", change=_swap(one, other))


def _delete(place: int) -> Callable[[Plan], Plan]:
    def change(plan: Plan) -> Plan:
        if any(isinstance(step, SayStep) and step.reply == place for step in plan.steps):
            raise Refused
        return replace(plan, index=WithoutReply(plan.index, place))

    return change


def _variant(place: int, number: int, harm: Callable[[Variant], Variant]) -> Callable[[Plan], Plan]:
    def change(plan: Plan) -> Plan:
        reply: Reply = plan.replies[place]
        say = (*reply.say[:number], harm(reply.say[number]), *reply.say[number + 1 :])
        harmed = replace(reply, say=say)
        return replace(plan, replies=(*plan.replies[:place], harmed, *plan.replies[place + 1 :]))

    return change


def _misspelt(variant: Variant) -> Variant:
    """Without its last character that belongs to no template."""
    source = variant.text.source
    kept = source[:-1] if not source.endswith(("}}", "%}")) else source[1:]
    return replace(variant, text=replace(variant.text, source=kept))


def _doubled(variant: Variant) -> Variant:
    return replace(variant, weight=variant.weight * 2)


def _threshold(step_id: str, shift: float) -> Callable[[Plan], Plan]:
    def change(plan: Plan) -> Plan:
        return replace(plan, steps=tuple(_shifted(step, step_id, shift) for step in plan.steps))

    return change


def _shifted(step: Step, step_id: str, shift: float) -> Step:
    if isinstance(step, RepliesStep) and step.id == step_id:
        return replace(step, threshold=step.threshold + shift)
    return step


def _swap(one: int, other: int) -> Callable[[Plan], Plan]:
    def change(plan: Plan) -> Plan:
        order = list(range(len(plan.steps)))
        order[one], order[other] = order[other], order[one]
        moved = {old: new for new, old in enumerate(order)}
        return replace(plan, steps=tuple(_moved(plan.steps[old], new, moved) for new, old in enumerate(order)))

    return change


def _moved(step: Step, place: int, moved: dict[int, int]) -> Step:
    if not isinstance(step, GenerateStep) or step.escalate_to is None:
        return step
    if moved[step.escalate_to] <= place:
        raise Refused
    return replace(step, escalate_to=moved[step.escalate_to])
