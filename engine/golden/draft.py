"""A golden file from scratch, in the form that an editor would give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.core.events import Outcome
from engine.core.turn import Visitor
from engine.golden.emit import flow, scalar

_HEAD = "# yaml-language-server: $schema={schema}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftTurn:
    """`clock` only where it is not the one of the turn before."""

    user: str
    expect: Mapping[str, Any]
    clock: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftConversation:
    name: str
    session: str
    clock: str
    turns: Sequence[DraftTurn]
    visitor: Visitor = field(default_factory=Visitor)
    env: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, Any] = field(default_factory=dict)


def golden_text(pipeline: str, conversations: Sequence[DraftConversation], schema: str | None = None) -> str:
    """The whole file; `pipeline` is relative to it, and so is `schema`, for editors that check while one types."""
    lines = [_HEAD.format(schema=schema)] if schema else []
    lines += ["version: 1\n", f"pipeline: {scalar(pipeline)}\n", "\nconversations:\n"]
    return "".join(lines) + "\n".join(_conversation(one) for one in conversations)


def expectation(outcome: Outcome) -> dict[str, Any]:
    """What is worth holding on to of a turn: the words, who said them, and why others did not."""
    expect: dict[str, Any] = {"reply": outcome.reply}
    if outcome.reply_id is not None:
        expect["reply_id"] = outcome.reply_id
    elif outcome.engine is not None:
        expect["engine"] = outcome.engine
    if outcome.remembered:
        expect["remembers"] = dict(outcome.remembered)
    if outcome.escalations:
        expect["escalations"] = [escalation.reason for escalation in outcome.escalations]
    return expect


def _conversation(one: DraftConversation) -> str:
    lines = [f"  - name: {scalar(one.name)}", f"    session: {scalar(one.session)}", f'    clock: "{one.clock}"']
    above = {"memory": one.visitor.memory, "visitor": _visitor(one.visitor), "env": one.env, "models": one.models}
    lines += [f"    {key}: {flow(value)}" for key, value in above.items() if value]
    lines.append("    turns:")
    for turn in one.turns:
        lines.append(f"      - user: {scalar(turn.user)}")
        lines += [f'        clock: "{turn.clock}"'] if turn.clock else []
        lines.append("        expect:")
        lines += [f"          {key}:{_value(value)}" for key, value in turn.expect.items()]
    return "\n".join(lines) + "\n"


def _visitor(visitor: Visitor) -> dict[str, Any]:
    """What is not as with somebody who comes for the first time."""
    usual = Visitor()
    names = ("visits", "days_away", "signed_in", "name")
    return {name: value for name in names if (value := getattr(visitor, name)) != getattr(usual, name)}


def _value(value: Any) -> str:
    """After a key's colon: lists of mappings an item a line, everything else on the key's line."""
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return "".join(f"\n            - {flow(item)}" for item in value)
    return " " + (flow(value) if isinstance(value, list | Mapping) else scalar(value))
