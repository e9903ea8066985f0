"""Represents the editor's files, typed and with their places, before any compilation.

Nothing here is resolved: globs, references, environment variables, conditions and templates are still the editor's
text. `engine.pipeline` turns a `PipelineSpec` into a `Plan`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from engine.core.plan import Limit
from engine.core.record import record
from engine.core.source import Setting, Span, Text
from engine.steps.spec import StepSpec


@record
class TriggerSpec:
    """`text` is the text, the pattern, or the whole list of `words` as written, for showing it."""

    kind: Literal["fuzzy", "contains", "words", "regex"]
    text: Text
    words: tuple[Text, ...] = ()


@record
class VariantSpec:
    """`offers` is the variant's own, or else the reply's."""

    text: Text
    weight: float = 1.0
    offers: Text | None = None


@record
class ReplySpec:
    id: Text
    match: tuple[TriggerSpec, ...]
    when: Text | None
    priority: int
    say: tuple[VariantSpec, ...]
    examples: tuple[Text, ...]
    counterexamples: tuple[Text, ...]
    span: Span
    topic: str | None = None
    otherwise: bool = False
    tags: tuple[Text, ...] = ()
    remember: tuple[tuple[Text, Text], ...] = ()
    forget: tuple[Text, ...] = ()

    @property
    def regexes(self) -> tuple[Text, ...]:
        """The patterns among its triggers."""
        return tuple(trigger.text for trigger in self.match if trigger.kind == "regex")


@record
class MemorySpec:
    """The bounds of a remembered value; `forget_after` is in seconds."""

    name: Text
    label: str
    characters: int
    forget_after: float | None = None


@record
class KindSpec:
    """A kind of sentence with its examples in all languages."""

    name: Text
    examples: tuple[Text, ...]


@record
class ExchangeSpec:
    user: Text
    reply: Text


@record
class PersonaSpec:
    """`data` is the whole mapping as plain values, for templates; the rest is what the engine itself reads."""

    name: Text
    user_label: str
    reply_label: str
    examples: tuple[ExchangeSpec, ...]
    data: Mapping[str, Any]
    span: Span


@record
class ModelSpec:
    """A row of `models`; `settings` holds every key but `backend`."""

    id: Text
    backend: Setting
    settings: Mapping[str, Setting]
    span: Span


@record
class LimitsSpec:
    anonymous: Limit
    user: Limit
    everyone: Limit
    reply: Text | None
    prices: Mapping[str, tuple[float, ...]]
    priced: str


@record
class PipelineSpec:
    """One pipeline file with the replies and kinds that its globs name; `deadline` is in seconds."""

    file: str
    name: Text
    locale: Text
    timezone: Text
    deadline: Setting
    persona: PersonaSpec
    reply_globs: tuple[Text, ...]
    replies: tuple[ReplySpec, ...]
    models: Mapping[str, ModelSpec]
    steps: tuple[StepSpec, ...]
    memory: tuple[MemorySpec, ...] = ()
    kind_globs: tuple[Text, ...] = ()
    kinds: tuple[KindSpec, ...] = ()
    address: tuple[Text, ...] = ()
    synonyms: tuple[tuple[Text, ...], ...] = ()
    mask: tuple[Text, ...] = ()
    limits: LimitsSpec | None = None
    closing: Text | None = None

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The settings that may come from the environment, those of models and steps among them."""
        models = (setting for model in self.models.values() for setting in (model.backend, *model.settings.values()))
        return (self.deadline, *models, *(setting for step in self.steps for setting in step.settings))
