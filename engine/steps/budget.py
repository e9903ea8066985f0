"""Divides a turn's time among the models that may still be asked."""

from __future__ import annotations

from collections.abc import Iterable

from engine.model.deadline import Deadline
from engine.model.ports import Services

SECONDS_PER_MODEL = 1.0
"""What a large model needs to say a sentence; less is hardly worth the call."""


def available(models: Iterable[str], services: Services) -> int:
    """How many of `models` could answer now, as far as they know themselves."""
    return sum(services.models[name].status().state != "unavailable" for name in models)


def leave_time(deadline: Deadline, behind: int) -> Deadline:
    """`deadline` less a second for each model behind, but never less than half of what is left."""
    return deadline.less(min(behind * SECONDS_PER_MODEL, deadline.remaining() / 2))
