"""Why a text gets its reply: the same decisions that a turn takes, told instead of taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.core.record import field, field_names, record
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
    (what, words); `now` is the persona's time. `masked` is the text as external models see it, where
    the pipeline keeps something from them.
    """

    text: str
    now: datetime
    stages: tuple[tuple[str, str], ...]
    words: tuple[tuple[str, str], ...]
    threshold: float
    considered: tuple[Considered, ...]
    decisions: tuple[Decision, ...]
    kind: Kind | None = None
    masked: str | None = None


@record
class Waiting:
    """What a step that may say a reply does in a turn; `considered` are the triggers of that reply it looked at."""

    step: str
    action: str
    why: str
    span: Span
    considered: tuple[Considered, ...] = ()


@record
class WhyNot:
    """What stands between a turn and a reply: each step that may say it, in the order of the pipeline.

    `when` is the condition of the reply as it is written, and `holds` whether it is met where that step begins; both
    are `None` where there is none, or no step gets so far.
    """

    reply_id: str
    span: Span
    when: str | None
    holds: bool | None
    steps: tuple[Waiting, ...]


def explanation_to_json(explanation: Explanation) -> dict[str, Any]:
    """`explanation` as JSON values; places are `file:line:column`, the time is ISO 8601."""
    kind = explanation.kind
    return {
        **_plain(explanation),
        "now": explanation.now.isoformat(),
        "stages": [{"stage": name, "text": text} for name, text in explanation.stages],
        "considered": [_placed(one) for one in explanation.considered],
        "decisions": [_placed(one) for one in explanation.decisions],
        "kind": None if kind is None else _plain(kind),
    }


def why_not_to_json(found: WhyNot) -> dict[str, Any]:
    """`found` as JSON values, its places as those of an explanation."""
    steps = [{**_placed(step), "considered": [_placed(one) for one in step.considered]} for step in found.steps]
    return {**_placed(found), "steps": steps}


def _placed(item: Any) -> dict[str, Any]:
    return {**_plain(item), "span": str(item.span)}


def _plain(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in field_names(type(item))}
