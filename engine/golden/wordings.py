"""How often each wording of a reply is said over many sessions: what makes a changed weight visible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.model.lazy import LazyMapping
from engine.model.plan import Plan, Reply
from engine.model.ports import Renderer
from engine.model.turn import Turn
from engine.steps.variants import choose

DEFAULT_SESSIONS = 30


def heard(reply: Reply, turn: Turn, sessions: int) -> Mapping[int, int]:
    """How many sessions hear each variant of `reply` first, by its position.

    The sessions are `turn`'s own with `-1`, `-2` … added, each at its first turn, so that the result is the same
    everywhere.
    """
    fresh = _first(turn)
    return Counter(
        choose(reply, replace(fresh, session_id=f"{turn.session_id}-{number}")) for number in range(1, sessions + 1)
    )


def wordings(
    plan: Plan, reply: Reply, names: LazyMapping, renderer: Renderer, counts: Mapping[int, int]
) -> dict[str, int]:
    """The `counts` of `heard` by the words said, in file order. Variants with equal words count together.

    `names` are what templates see.
    """
    seen = names.also(persona=plan.persona.data)
    said: dict[str, int] = {}
    for place in sorted(counts):
        text = _words(reply, place, seen, renderer)
        said[text] = said.get(text, 0) + counts[place]
    return said


def _words(reply: Reply, place: int, names: Mapping[str, Any], renderer: Renderer) -> str:
    try:
        return renderer.render(reply.say[place].text, names).strip()
    except ValueError as error:
        return f"({error})"


def _first(turn: Turn) -> Turn:
    return replace(turn, number=1, history=(), said={}, talk=None)
