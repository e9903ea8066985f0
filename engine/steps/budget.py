"""Divides a turn's time among the models that may still be asked."""

from __future__ import annotations

from collections.abc import Iterable

from engine.model.deadline import Deadline
from engine.model.ports import LanguageModel, Services

SECONDS_PER_MODEL = 1.0
"""What a large model needs to say a sentence; less is hardly worth the call."""


def available(names: Iterable[str], services: Services) -> list[LanguageModel]:
    """Those that could answer now, as far as they know themselves; a model that is switched off is not even open."""
    models = [services.models[name] for name in dict.fromkeys(names) if name in services.models]
    return [model for model in models if model.status().state != "unavailable"]


def leave_time(deadline: Deadline, behind: int) -> Deadline:
    """`deadline` less a second for each model behind, but never less than half of what is left."""
    return deadline.less(min(behind * SECONDS_PER_MODEL, deadline.remaining() / 2))
