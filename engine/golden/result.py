"""Holds what running goldens came to, as plain data for the reports, for coverage and for accepting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from engine.chat.step_runner import names_of
from engine.chat.talk import next_talk
from engine.core.events import ChatResult, Outcome
from engine.core.plan import Plan
from engine.core.turn import Message, Turn, Visitor
from engine.golden.stage import Stale
from engine.pipeline.schema.golden import Conversation, Expectation, GoldenFile, TurnSpec
from engine.text.cleaning import clean

Status = Literal["passed", "failed", "stale", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An expectation that is not met. `got` is the value that would meet it, where one value would."""

    expectation: Expectation
    expected: str
    got: str
    value: Any = None
    acceptable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnResult:
    spec: TurnSpec
    now: datetime
    result: ChatResult
    visitor: Visitor = field(default_factory=Visitor)
    differences: tuple[Difference, ...] = ()
    stale: tuple[Stale, ...] = ()

    @property
    def outcome(self) -> Outcome:
        return self.result.outcome

    @property
    def status(self) -> Status:
        if self.stale:
            return "stale"
        return "failed" if self.differences else "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationResult:
    """`skipped` says why it was not run; `repeats` holds the statuses of all runs, where there were several."""

    golden: GoldenFile
    spec: Conversation
    plan: Plan | None
    turns: tuple[TurnResult, ...] = ()
    skipped: str | None = None
    seconds: float = 0.0
    repeats: tuple[Status, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.golden.path.as_posix()}::{self.spec.name.value}"

    @property
    def status(self) -> Status:
        if self.skipped is not None:
            return "skipped"
        statuses = {turn.status for turn in self.turns}
        return next((status for status in ("failed", "stale") if status in statuses), "passed")


def names_in(turn: TurnResult, result: ConversationResult) -> Mapping[str, Any]:
    """Lists the names that conditions saw in a turn that was played, with the variables that its steps set."""
    if result.plan is None:
        return {}
    asked = Turn(
        text=clean(turn.spec.user.value),
        now=turn.now,
        session_id=result.spec.session,
        number=turn.spec.number,
        client=result.spec.attributes,
        visitor=turn.visitor,
        **_before(turn, result),
    )
    return names_of(result.plan, asked).also(vars=turn.outcome.variables)


def _before(turn: TurnResult, result: ConversationResult) -> Mapping[str, Any]:
    """The history and the talk that the turns before it left."""
    history, talk = result.spec.history, None
    for earlier in result.turns:
        if earlier.spec.number >= turn.spec.number:
            break
        text, outcome = clean(earlier.spec.user.value), earlier.outcome
        if outcome.reply is not None:
            asked = Turn(text=text, now=earlier.now, session_id="", number=earlier.spec.number, talk=talk)
            talk = next_talk(asked, outcome)
            history = (*history, Message("user", text), Message("assistant", outcome.reply))
    return {"history": history, "talk": talk}


def known_after(memory: Mapping[str, str], outcome: Outcome) -> dict[str, str]:
    """Lists what is remembered after a turn that began with `memory`."""
    known = {**memory, **outcome.remembered}
    return {name: value for name, value in known.items() if value is not None}


def tally_statuses(results: tuple[ConversationResult, ...]) -> dict[Status, int]:
    """Counts conversations by status."""
    counts: dict[Status, int] = {"passed": 0, "failed": 0, "stale": 0, "skipped": 0}
    for result in results:
        counts[result.status] += 1
    return counts
