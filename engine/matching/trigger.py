"""What selects a reply, and what an utterance reached: plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from engine.core.record import record
from engine.matching.form import Form


@record
class Trigger:
    """`reply` is the reply's position in the pipeline, `text` what the editor wrote, with blanks between `words`."""

    kind: Literal["fuzzy", "contains", "regex", "words"]
    text: str
    reply: int
    priority: int = 0


@record
class Candidate:
    """A trigger that an utterance reached. `trigger` is its position, `refused` a guard's reason, only in `explain`."""

    trigger: int
    reply: int
    score: float
    exact: bool = False
    refused: str | None = None


def only_asks(text: str, trigger: Trigger, form: Form) -> bool:
    """Whether a text of the trigger's normal form asks what the trigger, whose `form` this is, only tells."""
    return _marked(text) and not _marked(trigger.text) and form.tells


def _marked(text: str) -> bool:
    return text.rstrip(" !\n\u3000\uff01").endswith(("?", "\uff1f"))


def rank(candidate: Candidate, triggers: Sequence[Trigger]) -> tuple[float, bool, int, int]:
    """Sorts the best first: by score, then what is said word for word, then priority, then file order."""
    return (-candidate.score, not candidate.exact, -triggers[candidate.trigger].priority, candidate.trigger)
