"""Tells what a turn would do, without asking any model: it reads the step runner's decisions, step by step.

Where a decision hangs on what a model will say, both ways are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from engine.chat.explanation import Considered, Decision, Explanation, Kind, Verdict
from engine.chat.step_runner import names_of
from engine.core.plan import (
    Detector,
    ExpressionDetector,
    GenerateStep,
    Plan,
    RepliesStep,
    Reply,
    SayStep,
    SetStep,
    Step,
)
from engine.core.turn import Turn
from engine.expressions.evaluate import evaluate, holds
from engine.kinds.features import shown
from engine.steps.replies import otherwise

NEAR = 60.0
"""Triggers that score less are of no interest to an editor."""


REASONS = 8
"""Features that are told as the reasons of a kind."""


class Reached(Protocol):
    """A trigger with its score, and why it is another sentence where it is one."""

    @property
    def trigger(self) -> int: ...
    @property
    def reply(self) -> int: ...
    @property
    def score(self) -> float: ...
    @property
    def refused(self) -> str | None: ...


class Written(Protocol):
    """A trigger as the editor wrote it."""

    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str: ...


class ExplainingIndex(Protocol):
    """What explaining needs of the reply index beyond `candidates`."""

    @property
    def triggers(self) -> Sequence[Written]: ...
    def explain(self, text: str, threshold: float) -> tuple[Reached, ...]: ...
    def words(self, text: str) -> tuple[tuple[str, str], ...]: ...
    def trigger_words(self, trigger: int) -> str: ...


def explain(plan: Plan, index: ExplainingIndex, turn: Turn, stages: tuple[tuple[str, str], ...]) -> Explanation:
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
    )


def _kind(plan: Plan, text: str) -> Kind | None:
    if plan.kinds is None:
        return None
    chances = plan.kinds.chances(text)
    name, second = [*chances, *chances][:2]
    why = [shown(feature) for feature, _ in plan.kinds.reasons(text, name, second)]
    return Kind(name=name, sure=chances[name], second=second, why=tuple(dict.fromkeys(why))[:REASONS])


class _Walk:
    """The way through the steps on which no model answers. `considered` is what the last `replies` step on it saw, or
    the first one would, where it leads past them all.
    """

    def __init__(self, plan: Plan, index: ExplainingIndex, turn: Turn) -> None:
        self._plan, self._index, self._turn = plan, index, turn
        self._names = names_of(plan, turn)
        searching = (step for step in plan.steps if isinstance(step, RepliesStep) and step.otherwise is None)
        self._consider(next(searching, None))

    def decisions(self) -> Iterator[Decision]:
        """One for each step, to the first that certainly answers."""
        position: int | None = 0
        while position is not None and position < len(self._plan.steps):
            step = self._plan.steps[position]
            if holds(step.when, self._names):
                decision, position = self._decide(step, position + 1)
                yield decision
            else:
                source = step.when.source if step.when else ""
                yield _decision(step, "passed over", f"`{source}` does not hold")
                position += 1
        if position is not None:
            yield Decision(
                step="end",
                kind="end",
                action="no answer: error 503",
                why="where no model answered, as no step is left",
                span=self._plan.steps[-1].span,
            )

    def _consider(self, step: RepliesStep | None) -> None:
        self.threshold = 100.0 if step is None else step.threshold
        self.considered = tuple(_considered(self._plan, self._index, self._turn, self._names, step))

    def _decide(self, step: Step, following: int) -> tuple[Decision, int | None]:
        """What `step` does, and where the turn goes on; nowhere when it answers."""
        match step:
            case RepliesStep(otherwise=places) if places is not None:
                return self._listen(step, places, following)
            case RepliesStep():
                self._consider(step)
                best = next((one for one in self.considered if one.verdict == "chosen"), None)
                if best is not None:
                    return _decision(step, f"answers with `{best.reply_id}`", _margin(best, self.considered)), None
                return _decision(step, "goes on", _why_none(step.threshold, self.considered)), following
            case SayStep():
                reply = self._plan.replies[step.reply].id
                return _decision(step, f"says `{reply}`", "nothing before it answered"), None
            case SetStep():
                values = {name: evaluate(expression, self._names) for name, expression in step.values}
                self._names = self._names.also(vars={**self._names["vars"], **values})
                told = ", ".join(f"{name} = {value}" for name, value in values.items())
                return _decision(step, f"sets {told}", ""), following
            case GenerateStep():
                after = following if step.escalate_to is None else step.escalate_to
                return _decision(step, _asks(step), _escalations(step, self._plan.steps[after:])), after

    def _listen(self, step: Step, places: Sequence[int], following: int) -> tuple[Decision, int | None]:
        fitting = [f"`{reply.id}`" for reply in otherwise(self._plan, places, self._names)]
        if not fitting:
            return _decision(step, "goes on", "no reply that waits for such a text may be said now"), following
        one_of = "" if len(fitting) == 1 else "one of "
        return _decision(step, f"answers with {one_of}{', '.join(fitting)}", "nothing before it answered"), None


def _considered(
    plan: Plan, index: ExplainingIndex, turn: Turn, names: Mapping[str, Any], step: RepliesStep | None
) -> Iterator[Considered]:
    """The best trigger of each reply, and the next best where a verdict of its own is to be told."""
    threshold = 100.0 if step is None else step.threshold
    chosen: str | None = None
    told: set[tuple[int, Verdict]] = set()
    for reached in index.explain(turn.text, min(threshold, NEAR)):
        reply = plan.replies[reached.reply]
        if step is not None and not step.takes(reply):
            continue
        verdict, why = _verdict(reached, reply, names, threshold, chosen)
        if verdict == "chosen":
            chosen = reply.id
        if (chosen == reply.id and verdict != "chosen") or (reached.reply, verdict) in told:
            continue
        told.add((reached.reply, verdict))
        yield Considered(
            reply_id=reply.id,
            kind=index.triggers[reached.trigger].kind,
            trigger=index.triggers[reached.trigger].text,
            words=index.trigger_words(reached.trigger),
            score=reached.score,
            verdict=verdict,
            why=why,
            span=reply.span,
        )


def _verdict(
    reached: Reached, reply: Reply, names: Mapping[str, Any], threshold: float, chosen: str | None
) -> tuple[Verdict, str]:
    if reached.score < threshold:
        far = f"{threshold - reached.score:.1f} below the threshold of {threshold:g}"
        return "too low", far if reached.refused is None else f"{reached.refused} ({far})"
    if reached.refused is not None:
        return "refused", reached.refused
    if reply.when is not None and not holds(reply.when, names):
        return "condition", f"`{reply.when.source}` does not hold now"
    if chosen is None:
        return "chosen", ""
    return "passed over", f"`{chosen}` stands before it"


def _why_none(threshold: float, considered: tuple[Considered, ...]) -> str:
    reached = any(one.verdict != "too low" for one in considered)
    return f"no reply that reaches {threshold:g} may be said" if reached else f"no reply reaches {threshold:g}"


def _margin(best: Considered, considered: tuple[Considered, ...]) -> str:
    others = [one.score for one in considered if one.reply_id != best.reply_id and one.verdict == "passed over"]
    lead = f", {best.score - max(others):.1f} before the next reply" if others else ", no other reply matches"
    return f"trigger `{best.trigger}` scores {best.score:.1f}{lead}"


def _asks(step: GenerateStep) -> str:
    return "asks " + ", then ".join(step.models)


def _escalations(step: GenerateStep, after: tuple[Step, ...]) -> str:
    target = f"`{after[0].id}`" if after else "nothing"
    reasons = list(dict.fromkeys(["error", "timeout", "empty", *(_reason(detector) for detector in step.detectors)]))
    return f"on {', '.join(reasons)} the turn goes on to {target}"


def _reason(detector: Detector) -> str:
    if isinstance(detector, ExpressionDetector):
        return detector.reason
    return detector.name if detector.threshold is None else f"{detector.name} below {detector.threshold:g}"


def _decision(step: Step, action: str, why: str) -> Decision:
    kind = {RepliesStep: "replies", GenerateStep: "generate", SayStep: "say", SetStep: "set"}[type(step)]
    return Decision(step=step.id, kind=kind, action=action, why=why, span=step.span)
