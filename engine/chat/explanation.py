"""Why a text gets its reply: the same decisions that a turn takes, told instead of taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from engine.core.record import field, record
from engine.core.source import Span
from engine.steps.explaining import Considered


@record
class Decision:
    """What a step does with this text, and why; `remembered` is what that does to the memory: new values by name, or
    `None` for what is forgotten.
    """

    step: str
    kind: str
    action: str
    why: str
    span: Span
    remembered: Mapping[str, str | None] = field(default_factory=dict)


@record
class Kind:
    """What sort of sentence the text is; `why` is what speaks for it rather than for the second, strongest first."""

    name: str
    sure: float
    second: str
    why: tuple[str, ...]


@record
class Explanation:
    """`stages` are the names of the normalisation steps with the text after each, `words` what was read in the text, as
    (what, words); `now` is the persona's time.
    """

    text: str
    now: datetime
    stages: tuple[tuple[str, str], ...]
    words: tuple[tuple[str, str], ...]
    threshold: float
    considered: tuple[Considered, ...]
    decisions: tuple[Decision, ...]
    kind: Kind | None = None
