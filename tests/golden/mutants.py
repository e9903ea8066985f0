"""Small harms to a pipeline, each as a change of its compiled plan: what a golden must notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from engine.core.plan import Plan, Step


class Refused(Exception):
    """The harmed pipeline would not load: validation notices before any golden does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`first` is the index of the first step that is harmed: a turn that ends before it goes as ever."""

    kind: str
    first: int
    name: str
    change: Callable[[Plan], Plan]


def mutants(plan: Plan) -> Iterator[Mutant]:
    """Every mutant of the steps of `plan`; that a reply is selected at all, its own examples hold."""
    for place, step in enumerate(plan.steps):
        if step.searches:
            for shift in (-10, 10):
                name = f"{step.id} {shift:+}"
                yield Mutant(kind="threshold", first=place, name=name, change=_threshold(step.id, shift))
    for one, other in combinations(range(len(plan.steps)), 2):
        # Two that only set variables: the order of those that do not read each other makes no difference.
        if plan.steps[one].values and plan.steps[other].values:
            continue
        name = f"{plan.steps[one].id} {plan.steps[other].id}"
        yield Mutant(kind="swap", first=one, name=name, change=_swap(one, other))


def _threshold(step_id: str, shift: float) -> Callable[[Plan], Plan]:
    def change(plan: Plan) -> Plan:
        return replace(plan, steps=tuple(_shifted(step, step_id, shift) for step in plan.steps))

    return change


def _shifted(step: Step, step_id: str, shift: float) -> Step:
    if step.searches and step.id == step_id:
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
    if step.escalate_to is None:
        return step
    if moved[step.escalate_to] <= place:
        raise Refused
    return replace(step, escalate_to=moved[step.escalate_to])
