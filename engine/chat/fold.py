"""The engine's main loop: steps in order, forward only, until one answers."""

from __future__ import annotations

from engine.chat.talk import names_of_talk
from engine.core.deadline import Deadline
from engine.core.errors import TurnError
from engine.core.lazy import LazyMapping
from engine.core.plan import GenerateStep, Plan, Step
from engine.core.ports import Services
from engine.core.turn import Escalation, Outcome, TraceEvent, Turn
from engine.expressions.evaluate import holds
from engine.kinds.names import names_of_kind
from engine.steps.dispatch import run_step
from engine.steps.result import Answer, Continue, Escalate, Scene, StepResult

_ENDS = {Answer: "answered", Continue: "continued", Escalate: "escalated"}


class _Record:
    """What happened so far in one turn."""

    def __init__(self) -> None:
        self.escalations: list[Escalation] = []
        self.trace: list[TraceEvent] = []
        self.doubtful: tuple[Step, Answer] | None = None


def run(plan: Plan, turn: Turn, services: Services, deadline: Deadline) -> Outcome:
    """Run one turn. Never raises for what a step or a model does; `Outcome.reply` is `None` when nothing answered."""
    began = deadline.clock()
    record = _Record()
    names = names_of(plan, turn)
    position = 0
    while position < len(plan.steps):
        step = plan.steps[position]
        if not holds(step.when, names):
            record.trace.append(TraceEvent(step=step.id, event="not_applicable"))
            position += 1
            continue
        scene = Scene(
            plan=plan,
            turn=turn,
            names=names,
            services=services,
            deadline=deadline,
            behind=_behind(plan, position),
        )
        step_began = deadline.clock()
        result = _attempt(step, scene)
        record.trace.extend(result.trace)
        record.trace.append(TraceEvent(step=step.id, event=_ENDS[type(result)], seconds=deadline.clock() - step_began))
        match result:
            case Answer():
                return _outcome(step, result, record, deadline.clock() - began)
            case Continue():
                names = names.also(vars={**names["vars"], **result.vars}) if result.vars else names
                position += 1
            case Escalate():
                record.escalations.extend(result.escalations)
                names = names.also(escalated={one.step: one.reason for one in record.escalations})
                if record.doubtful is None and result.doubtful is not None:
                    record.doubtful = (step, result.doubtful)
                position = position + 1 if result.to is None else result.to
    if record.doubtful is not None:
        return _outcome(*record.doubtful, record, deadline.clock() - began)
    return Outcome(
        reply=None,
        escalations=tuple(record.escalations),
        trace=tuple(record.trace),
        seconds=deadline.clock() - began,
    )


def names_of(plan: Plan, turn: Turn) -> LazyMapping:
    """What conditions and templates see at the start of a turn: plain data, the costly part when it is asked for."""
    return names_of_talk(plan, turn).also(
        text=turn.text,
        turn=LazyMapping({"number": turn.number}, {"exact": lambda: plan.index.is_trigger(turn.text)}),
        client=turn.client,
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


def _topic_of(text: str) -> str | None:
    from engine.text.topic import topic_of  # noqa: PLC0415 - loads a dictionary

    return topic_of(text)


def _attempt(step: Step, scene: Scene) -> StepResult:
    try:
        return run_step(step, scene)
    except TurnError as error:
        return Escalate(
            escalations=(Escalation(step=step.id, reason="error", detail=str(error)),), to=_escalates_to(step)
        )


def _escalates_to(step: Step) -> int | None:
    return step.escalate_to if isinstance(step, GenerateStep) else None


def _behind(plan: Plan, position: int) -> tuple[str, ...]:
    """The models that may be asked when this step does not answer."""
    target = _escalates_to(plan.steps[position])
    later = plan.steps[position + 1 if target is None else target :]
    return tuple(name for step in later if isinstance(step, GenerateStep) for name in step.models)


def _outcome(step: Step, answer: Answer, record: _Record, seconds: float) -> Outcome:
    return Outcome(
        reply=answer.reply,
        engine=answer.engine,
        step=step.id,
        reply_id=answer.reply_id,
        variant=answer.variant,
        offers=answer.offers,
        topic=answer.topic,
        completion=answer.completion,
        escalations=(*record.escalations, *answer.escalations),
        trace=tuple(record.trace),
        seconds=seconds,
    )
