"""Runs the steps of a plan in order, forward only, until one answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from engine.chat.talk import names_of_talk
from engine.core.deadline import Deadline
from engine.core.errors import TurnError
from engine.core.events import Escalation, Listen, Outcome, StepEnded, StepEvent, StepPassedOver, ignore
from engine.core.expression import LazyMapping
from engine.core.plan import Plan, Step
from engine.core.ports import Services
from engine.core.record import field_names
from engine.core.turn import Turn, Visitor
from engine.expressions.evaluate import holds
from engine.kinds.model import names_of_kind
from engine.steps.kinds import Answer, Continue, Escalate, Scene, StepResult, step_kind


def run_steps(  # noqa: PLR0913, PLR0917  a turn, and who hears of it
    plan: Plan,
    turn: Turn,
    services: Services,
    deadline: Deadline,
    listen: Listen = ignore,
    say: Callable[[str], None] | None = None,
) -> Outcome:
    """Run one turn and tell `listen` what happens; `say`, where there is one, takes sentences of the reply while it
    comes. Never raises for what a step or a model does; `Outcome.reply` is `None` when nothing answered.

    Raises `Cancelled` when nobody waits any more and nothing was said yet.
    """
    began = deadline.clock()
    trace: list[StepEvent] = []

    def tell(event: StepEvent) -> None:
        trace.append(event)
        listen(event)

    names = names_of(plan, turn)
    answered: tuple[Step, Answer] | None = None
    doubtful: tuple[Step, Answer] | None = None
    position = 0
    while answered is None and position < len(plan.steps):
        step = plan.steps[position]
        if not holds(step.when, names):
            tell(StepPassedOver(step=step.id))
            position += 1
            continue
        step_began = deadline.clock()
        scene = Scene(
            plan=plan,
            turn=turn,
            names=names,
            services=services,
            deadline=deadline,
            tell=tell,
            behind=_behind(plan, position),
            say=say,
        )
        result = _attempt(step, scene)
        seconds = deadline.clock() - step_began
        match result:
            case Answer():
                tell(StepEnded(step=step.id, end="answered", seconds=seconds))
                answered = step, result
            case Continue():
                tell(StepEnded(step=step.id, end="continued", seconds=seconds))
                names = names.also(vars={**names["vars"], **result.vars}) if result.vars else names
                position += 1
            case Escalate():
                tell(StepEnded(step=step.id, end="escalated", seconds=seconds))
                names = names.also(escalated={one.step: one.reason for one in _escalations(trace)})
                if doubtful is None and result.doubtful is not None:
                    doubtful = step, result.doubtful
                position = position + 1 if result.to is None else result.to
    return _outcome(answered or doubtful, names["vars"], trace, deadline.clock() - began)


def names_of(plan: Plan, turn: Turn) -> LazyMapping:
    """Lists what conditions and templates see as a turn starts: plain data, the costly part when it is asked for."""
    return names_of_talk(plan, turn).also(
        text=turn.text,
        turn=LazyMapping({"number": turn.number}, {"exact": lambda: plan.index.is_trigger(turn.text)}),
        client=turn.client,
        visitor=_visitor(turn.visitor),
        memory={name: turn.visitor.memory.get(name, "") for name in plan.memory},
        words=LazyMapping({}, {"topic": lambda: _topic_of(turn.text)}),
        now={
            "year": turn.now.year,
            "month": turn.now.month,
            "day": turn.now.day,
            "hour": turn.now.hour,
            "minute": turn.now.minute,
            "weekday": turn.now.weekday(),
        },
        env=plan.env,
        vars={},
        kind=names_of_kind(plan.kinds, turn.text),
        escalated={},
    )


def _visitor(visitor: Visitor) -> Mapping[str, Any]:
    return {
        "visits": visitor.visits,
        "days_away": visitor.days_away,
        "signed_in": visitor.signed_in,
        "name": visitor.name or "",
    }


def _topic_of(text: str) -> str | None:
    from engine.text.topic import topic_of

    return topic_of(text)


def _attempt(step: Step, scene: Scene) -> StepResult:
    try:
        return step_kind(step.kind).run(step, scene)
    except TurnError as error:
        scene.tell(Escalation(step=step.id, reason="error", detail=str(error)))
        return Escalate(to=step.escalate_to)


def _behind(plan: Plan, position: int) -> tuple[str, ...]:
    """The models that may be asked when this step does not answer."""
    target = plan.steps[position].escalate_to
    later = plan.steps[position + 1 if target is None else target :]
    return tuple(name for step in later for name in step.models)


def _escalations(trace: Iterable[StepEvent]) -> tuple[Escalation, ...]:
    return tuple(event for event in trace if isinstance(event, Escalation))


def _outcome(
    said: tuple[Step, Answer] | None, variables: Mapping[str, Any], trace: Sequence[StepEvent], seconds: float
) -> Outcome:
    happened: dict[str, Any] = {
        "variables": variables,
        "escalations": _escalations(trace),
        "trace": tuple(trace),
        "seconds": seconds,
    }
    if said is None:
        return Outcome(reply=None, **happened)
    step, answer = said
    return Outcome(step=step.id, **happened, **{name: getattr(answer, name) for name in field_names(Answer)})
