"""Tells what a turn would do, without asking any model: it reads the step runner's decisions, step by step.

Where a decision hangs on what a model will say, both ways are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from engine.chat.step_runner import names_of
from engine.core.language import phrase
from engine.core.plan import Plan, Reply, Step
from engine.core.record import field, field_names, record, replace
from engine.core.source import Span
from engine.core.turn import Turn
from engine.expressions.evaluate import holds
from engine.guardrails.masks import find_all
from engine.guardrails.placeholders import masked
from engine.kinds.features import shown
from engine.matching.index import TriggerIndex
from engine.steps.explaining import Considered, View
from engine.steps.kinds import Told, step_kind
from engine.templates import TemplateRenderer


@record
class Decision:
    """A step's decision on this text, and why; `remembered` is what that does to the memory: new values by name, or
    `None` for what is forgotten.
    """

    step: str
    kind: str
    action: str
    why: str
    span: Span
    remembered: Mapping[str, str | None] = field(default_factory=dict)


@record
class Kind:
    """The sort of sentence of the text; `why` is what speaks for it rather than for the second, strongest first."""

    name: str
    sure: float
    second: str
    why: tuple[str, ...]


@record
class Explanation:
    """`stages` are the names of the normalisation steps with the text after each, `words` what was read in the text, as
    (what, words); `now` is the persona's time. `masked` is the text as external models see it, where the pipeline keeps
    something from them, and `masks` are the rules that found something, each with what it found.
    """

    text: str
    now: datetime
    stages: tuple[tuple[str, str], ...]
    words: tuple[tuple[str, str], ...]
    threshold: float
    considered: tuple[Considered, ...]
    decisions: tuple[Decision, ...]
    kind: Kind | None = None
    masked: str | None = None
    masks: tuple[tuple[str, str], ...] = ()


@record
class Waiting:
    """What a step that may say a reply does in a turn; `considered` are the triggers of that reply it looked at."""

    step: str
    action: str
    why: str
    span: Span
    considered: tuple[Considered, ...] = ()


@record
class WhyNot:
    """The reasons that stand between a turn and a reply: each step that may say it, in the order of the pipeline.

    `when` is the condition of the reply as it is written, and `holds` whether it is met where that step begins; both
    are `None` where there is none, or no step gets so far.
    """

    reply_id: str
    span: Span
    when: str | None
    holds: bool | None
    steps: tuple[Waiting, ...]


def explanation_to_json(explanation: Explanation) -> dict[str, Any]:
    """`explanation` as JSON values; places are `file:line:column`, the time is ISO 8601."""
    kind = explanation.kind
    return {
        **_plain(explanation),
        "now": explanation.now.isoformat(),
        "stages": [{"stage": name, "text": text} for name, text in explanation.stages],
        "considered": [_placed(one) for one in explanation.considered],
        "decisions": [_placed(one) for one in explanation.decisions],
        "kind": None if kind is None else _plain(kind),
    }


def why_not_to_json(found: WhyNot) -> dict[str, Any]:
    """`found` as JSON values, its places as those of an explanation."""
    steps = [{**_placed(step), "considered": [_placed(one) for one in step.considered]} for step in found.steps]
    return {**_placed(found), "steps": steps}


def _placed(item: Any) -> dict[str, Any]:
    return {**_plain(item), "span": str(item.span)}


def _plain(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in field_names(type(item))}


REASONS = 8
"""Features that are told as the reasons of a kind."""


def explain(plan: Plan, index: TriggerIndex, turn: Turn, stages: tuple[tuple[str, str], ...]) -> Explanation:
    """The decisions that `plan` takes on `turn`; `index` is the plan's own, `stages` the text's normalisation."""
    walk = _Walk(plan, index, turn)
    decisions = tuple(walk.decisions())
    return Explanation(
        text=turn.text,
        now=turn.now,
        stages=stages,
        words=index.words(turn.text),
        threshold=walk.threshold,
        considered=walk.considered,
        decisions=decisions,
        kind=_kind(plan, turn.text),
        masked=masked(turn.text, plan.mask) if plan.mask else None,
        masks=tuple((one.mask, turn.text[one.start : one.end]) for one in find_all(turn.text, plan.mask)),
    )


def explain_reply(plan: Plan, index: TriggerIndex, turn: Turn, reply: Reply) -> WhyNot:
    """Why `reply` is not what `turn` is answered with, or that it is."""
    walk = _Walk(plan, index, turn)
    decided = {decision.step: decision for decision in walk.decisions()}
    position = plan.replies.index(reply)
    holds_now: bool | None = None
    steps = []
    for step in plan.steps:
        if not (position in step.replies or (step.searches and step.takes(reply))):
            continue
        decision, view = decided.get(step.id), walk.views.get(step.id)
        if decision is None:
            told = Told(action=phrase("not reached"), why=phrase("a step before it answers, or leads past it"))
        else:
            told = Told(action=decision.action, why=decision.why)
        seen = () if view is None else view.considered_of(step, reply)
        if view is not None and reply.when is not None:
            holds_now = holds(reply.when, view.names)
        steps.append(Waiting(step=step.id, action=told.action, why=told.why, span=step.span, considered=seen))
    when = None if reply.when is None else reply.when.source
    return WhyNot(reply_id=reply.id, span=reply.span, when=when, holds=holds_now, steps=tuple(steps))


def _kind(plan: Plan, text: str) -> Kind | None:
    if plan.kinds is None:
        return None
    chances = plan.kinds.chances(text)
    name, second = [*chances, *chances][:2]
    why = [shown(feature) for feature, _ in plan.kinds.reasons(text, name, second)]
    return Kind(name=name, sure=chances[name], second=second, why=tuple(dict.fromkeys(why))[:REASONS])


class _Walk:
    """The way through the steps on which no model answers. `considered` is what the last step that searches on it saw,
    or the first one would, where it leads past them all; `views` are what the steps on it see, by their names.
    """

    def __init__(self, plan: Plan, index: TriggerIndex, turn: Turn) -> None:
        self._plan = plan
        self.views: dict[str, View] = {}
        render = TemplateRenderer().render
        self._view = View(plan=plan, index=index, turn=turn, names=names_of(plan, turn), render=render)
        self._searched(next((step for step in plan.steps if step.searches), None), None)

    def decisions(self) -> Iterator[Decision]:
        """Takes one decision for each step, to the first that certainly answers."""
        steps, position = self._plan.steps, 0
        while position < len(steps):
            step = steps[position]
            position += 1
            if step.when is not None and not holds(step.when, self._view.names):
                yield _decision(
                    step,
                    Told(
                        action=phrase("passed over"),
                        why=phrase("`{condition}` does not hold", condition=step.when.source),
                    ),
                )
                continue
            self.views[step.id] = self._view
            position = position if step.escalate_to is None else step.escalate_to
            after = steps[position] if position < len(steps) else None
            told = step_kind(step.kind).explain(step, replace(self._view, after=after))
            yield _decision(step, told)
            if told.considered is not None:
                self._searched(step, told.considered)
            names = self._view.names
            self._view = replace(self._view, names=names.also(vars={**names["vars"], **told.vars}))
            if told.answers:
                return
        yield Decision(
            step="end",
            kind="end",
            action=phrase("no answer: error 503"),
            why=phrase("where no model answered, as no step is left"),
            span=steps[-1].span,
        )

    def _searched(self, step: Step | None, seen: tuple[Considered, ...] | None) -> None:
        self.threshold = 100.0 if step is None else step.threshold
        self.considered = self._view.considered(step) if seen is None else seen


def _decision(step: Step, told: Told) -> Decision:
    return Decision(
        step=step.id,
        kind=step.kind,
        action=told.action,
        why=told.why,
        span=step.span,
        remembered=told.remembered,
    )
