"""Divides a turn's time among the models that may still be asked."""

from __future__ import annotations

from collections.abc import Iterable

from engine.core.deadline import LEAST, Deadline
from engine.core.ports import LanguageModel, Services

SECONDS_PER_MODEL = 1.0
"""What a large model needs to say a sentence, where there is time enough."""

_SLACK = 0.05
"""Seconds that a step may take besides its call."""


def available(names: Iterable[str], services: Services) -> list[LanguageModel]:
    """Those that could answer now, as far as they know themselves; a model that is switched off is not even open."""
    models = [services.models[name] for name in dict.fromkeys(names) if name in services.models]
    return [model for model in models if model.status().state != "unavailable"]


def leave_time(deadline: Deadline, behind: int) -> Deadline:
    """`deadline` brought forward by what is left to the models behind: a second each, or else equal shares for as many
    of them as can be asked at all.
    """
    remaining = deadline.remaining()
    asked_after = min(behind, int((remaining + _SLACK / 2) / (LEAST + _SLACK)) - 1)
    if asked_after <= 0:
        return deadline
    return deadline.less(asked_after * min(SECONDS_PER_MODEL, remaining / (asked_after + 1)))
