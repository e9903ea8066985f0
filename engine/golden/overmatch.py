"""Utterances of goldens that another reply nearly takes: a warning before an editor's next trigger does take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.core.source import Span
from engine.expressions.evaluate import holds
from engine.golden.lookup import MARGIN, near_candidates
from engine.golden.result import ConversationResult, TurnResult, names_in
from engine.text.cleaning import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """`winner` answers with `score`, or a model does (`None`, with the threshold for a score); `rival` comes close."""

    span: Span
    text: str
    winner: str | None
    score: float
    rival: str
    rival_score: float

    def __str__(self) -> str:
        won = f"`{self.winner}` with {self.score:.1f}" if self.winner else f"no reply, at a threshold of {self.score:g}"
        return f"{self.span}: `{self.text}` gets {won}, and `{self.rival}` is near with {self.rival_score:.1f}"


def near_misses(results: Iterable[ConversationResult]) -> list[NearMiss]:
    """Each utterance once for each rival, in the order of the goldens."""
    found: dict[tuple[str, str], NearMiss] = {}
    for result in results:
        for turn in result.turns:
            for miss in _of(turn, result):
                found.setdefault((miss.text, miss.rival), miss)
    return list(found.values())


def _of(turn: TurnResult, result: ConversationResult) -> Iterator[NearMiss]:
    plan = result.plan
    step = next((step for step in plan.steps if step.searches), None) if plan else None
    if plan is None or step is None:
        return
    text = clean(turn.spec.user.value)
    names = names_in(turn, result)
    winner = turn.outcome.reply_id if turn.outcome.engine == "canned" else None
    candidates = near_candidates(plan.index, text, step.threshold)
    scores = {plan.replies[one.reply].id: one for one in candidates if holds(plan.replies[one.reply].when, names)}
    won = scores.get(winner) if winner is not None else None
    # A trigger that is the utterance itself stands before all others.
    if won is not None and getattr(won, "exact", False):
        return
    score = step.threshold if won is None else won.score
    for name, one in scores.items():
        if name != winner and one.score > score - MARGIN:
            yield NearMiss(
                span=turn.spec.user.span, text=text, winner=winner, score=score, rival=name, rival_score=one.score
            )
