"""Chooses which variant of a reply is said: weighted, repeatable for a seed, and never the last one said again."""

from __future__ import annotations

from engine.model.digest import digest
from engine.model.plan import Reply
from engine.model.turn import Turn


def choose(reply: Reply, turn: Turn) -> int:
    """The position in `reply.say`; the same turn always gets the same one."""
    last = _last_said(reply, turn)
    open_to_choice = [place for place in range(len(reply.say)) if place != last] or [0]
    total = sum(reply.say[place].weight for place in open_to_choice)
    point = _fraction(f"{turn.seed}\x1f{turn.session_id}\x1f{turn.number}\x1f{reply.id}") * total
    for place in open_to_choice:
        point -= reply.say[place].weight
        if point < 0:
            return place
    return open_to_choice[-1]


def _last_said(reply: Reply, turn: Turn) -> int | None:
    """From the session, or where there is none from the history that the client sent."""
    if reply.id in turn.last_said:
        return turn.last_said[reply.id]
    texts = {variant.text.source: place for place, variant in enumerate(reply.say)}
    for message in reversed(turn.history):
        if message.role == "assistant" and message.text in texts:
            return texts[message.text]
    return None


def _fraction(key: str) -> float:
    """A number in [0, 1) that depends on `key` alone, the same in every process."""
    return int.from_bytes(digest(key)) / 2**64
