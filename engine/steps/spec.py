"""Represents a step as the editor wrote it, typed and with its places."""

from __future__ import annotations

from typing import Any, Union

from engine.core.record import record
from engine.core.source import Setting, Span, Text


@record
class NamedDetectorSpec:
    """One entry of `escalate_when`; `threshold` only for `low_confidence`."""

    name: Text
    threshold: float | None = None

    @property
    def reason(self) -> Text:
        return self.name


@record
class ExpressionDetectorSpec:
    test: Text
    reason: Text
    doubt: bool = False


DetectorSpec = Union[NamedDetectorSpec, ExpressionDetectorSpec]


@record
class StepSpec:
    """A step of some `kind`, as in `engine.core.plan.Step`; what its kind does not read stands at its default.

    One that `listens` says those replies that wait for a text that nothing matches; one that `answers` ends the turn
    whenever its `when` holds. `variables` maps a variable's name to an expression.
    """

    id: Text
    kind: str
    when: Text | None
    span: Span
    searches: bool = False
    listens: bool = False
    answers: bool = False
    threshold: Setting | None = None
    tags: tuple[Text, ...] = ()
    replies: tuple[Text, ...] = ()
    models: tuple[Text, ...] = ()
    prompt: Text | None = None
    timeout: Setting | None = None
    detectors: tuple[DetectorSpec, ...] = ()
    escalate_to: Text | None = None
    variables: tuple[tuple[Text, Text], ...] = ()
    own: Any = None

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The settings that may come from the environment."""
        return tuple(setting for setting in (self.threshold, self.timeout) if setting is not None)
