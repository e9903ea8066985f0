"""Chooses which wording is said: weighted, repeatable for a seed, and the less it was said before, the sooner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from engine.core.digest import digest
from engine.core.plan import Reply
from engine.core.turn import Turn

Choice = tuple[Reply, int]
"""A variant by its position in the reply's `say`."""


def choose(reply: Reply, turn: Turn) -> int:
    """The position in `reply.say`; the same turn always gets the same one."""
    return next(preferred((reply,), turn))[1]


def preferred(replies: Sequence[Reply], turn: Turn) -> Iterator[Choice]:
    """Every variant of `replies`, the best first: those said least often in the conversation, each reply's last at the
    end; where that leaves several, by weight and the turn's seed.
    """
    ranks: dict[tuple[bool, int], list[Choice]] = {}
    for reply in replies:
        said = _said(reply, turn)
        times = Counter(said)
        for place in range(len(reply.say)):
            ranks.setdefault((said[-1:] == (place,), times[place]), []).append((reply, place))
    key = f"{turn.seed}\x1f{turn.session_id}\x1f{turn.number}\x1f{'+'.join(reply.id for reply in replies)}"
    for rank in sorted(ranks):
        yield from _shuffled(ranks[rank], key)


def _shuffled(choices: list[Choice], key: str) -> Iterator[Choice]:
    """Draws one after the other, each by its weight among those that are left."""
    for drawn in range(len(choices)):
        point = _fraction(f"{key}\x1f{drawn}" if drawn else key) * sum(_weight(choice) for choice in choices)
        for choice in choices:
            point -= _weight(choice)
            if point < 0:
                break
        choices.remove(choice)
        yield choice


def _weight(choice: Choice) -> float:
    reply, place = choice
    return reply.say[place].weight


def _said(reply: Reply, turn: Turn) -> tuple[int, ...]:
    """From the session, or where there is none from the history that the client sent."""
    if reply.id in turn.said:
        return turn.said[reply.id]
    texts = {variant.text.source: place for place, variant in enumerate(reply.say)}
    hers = (message.text for message in turn.history if message.role == "assistant")
    return tuple(texts[text] for text in hers if text in texts)


def _fraction(key: str) -> float:
    """A number in [0, 1) that depends on `key` alone, the same in every process."""
    return int.from_bytes(digest(key)) / 2**64
