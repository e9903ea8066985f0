"""Explains the steps of a turn without running them: the contract between explanations and the step kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from engine.core.expression import LazyMapping
from engine.core.language import phrase
from engine.core.plan import Plan, Reply, Step
from engine.core.record import record
from engine.core.source import Span
from engine.core.turn import Turn
from engine.expressions.evaluate import holds
from engine.matching.index import TriggerIndex
from engine.matching.trigger import Candidate
from engine.steps.remember import Render, remember

NEAR = 60.0
"""Triggers that score less are of no interest to an editor."""

Verdict = Literal["chosen", "passed over", "refused", "condition", "too low"]


@record
class Considered:
    """A trigger that came near, with its words that count. `why` gives the reason of the verdict."""

    reply_id: str
    kind: str
    trigger: str
    words: str
    score: float
    verdict: Verdict
    why: str
    span: Span


@record
class View:
    """One step's view of a turn that is explained; `after` is the step to which this one escalates."""

    plan: Plan
    index: TriggerIndex
    turn: Turn
    names: LazyMapping
    render: Render
    after: Step | None = None

    def remembered(self, reply: Reply) -> Mapping[str, str | None]:
        """Tells the effect of `reply` on the memory: new values by name, `None` for what is forgotten."""
        if not reply.remember and not reply.forget:
            return {}
        try:
            names = self.names.also(persona=self.plan.persona.data)
            return remember(reply, self.plan.memory, names, self.render)[1]
        except ValueError:
            return {}

    def considered(self, step: Step | None) -> tuple[Considered, ...]:
        """Lists the triggers that a step which searches considers."""
        return tuple(_considered(step, self))

    def considered_of(self, step: Step, reply: Reply) -> tuple[Considered, ...]:
        """Lists the triggers of one reply, however far they are from the text."""
        if not step.searches:
            return ()
        return tuple(one for one in _considered(step, self, 0.0) if one.reply_id == reply.id)


def _considered(step: Step | None, view: View, least: float = NEAR) -> Iterator[Considered]:
    """The best trigger of each reply, and the next best where a verdict of its own is to be told."""
    threshold = 100.0 if step is None else step.threshold
    chosen: str | None = None
    told: set[tuple[int, Verdict]] = set()
    for reached in view.index.explain(view.turn.text, min(threshold, least)):
        reply = view.plan.replies[reached.reply]
        if step is not None and not step.takes(reply):
            continue
        verdict, why = _verdict(reached, reply, view.names, threshold, chosen)
        if verdict == "chosen":
            chosen = reply.id
        if (chosen == reply.id and verdict != "chosen") or (reached.reply, verdict) in told:
            continue
        told.add((reached.reply, verdict))
        yield Considered(
            reply_id=reply.id,
            kind=view.index.triggers[reached.trigger].kind,
            trigger=view.index.triggers[reached.trigger].text,
            words=view.index.trigger_words(reached.trigger),
            score=reached.score,
            verdict=verdict,
            why=why,
            span=reply.span,
        )


def _verdict(
    reached: Candidate, reply: Reply, names: Mapping[str, Any], threshold: float, chosen: str | None
) -> tuple[Verdict, str]:
    if reached.score < threshold:
        missing = threshold - reached.score
        far = phrase("{missing:.1f} below the threshold of {threshold:g}", missing=missing, threshold=threshold)
        if reached.refused is None:
            return "too low", far
        return "too low", phrase("{why} ({far})", why=reached.refused, far=far)
    if reached.refused is not None:
        return "refused", reached.refused
    if reply.when is not None and not holds(reply.when, names):
        return "condition", phrase("`{condition}` does not hold now", condition=reply.when.source)
    if chosen is None:
        return "chosen", ""
    return "passed over", phrase("`{reply}` stands before it", reply=chosen)
