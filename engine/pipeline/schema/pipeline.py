"""A pipeline file that fits its schema, as a typed spec without its replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.core.plan import Limit
from engine.core.source import Located, Setting, Span, Text
from engine.pipeline.environment import LIMITS
from engine.pipeline.reading.node import Entry, MappingNode, Node, plain
from engine.pipeline.schema.values import (
    duration,
    entries,
    flag,
    items,
    mapping,
    number,
    optional_text,
    parse_reference,
    seconds,
    setting,
    text,
    texts,
)
from engine.pipeline.spec import (
    ExchangeSpec,
    KindSpec,
    LimitsSpec,
    MemorySpec,
    ModelSpec,
    PersonaSpec,
    PipelineSpec,
    ReplySpec,
)
from engine.steps.kinds import STEP_KINDS, step_kind
from engine.steps.spec import Keys, StepSpec

DEFAULT_LOCALE = "en"
DEFAULT_TIMEZONE = "UTC"
DEFAULT_DEADLINE = 7.5
"""Seconds; the web client gives up after 8.0."""

DEFAULT_CHARACTERS = 60
"""The longest that a remembered value may be."""

DEFAULT_USER_LABEL = "User"


def pipeline_spec(root: MappingNode, replies: Sequence[ReplySpec], kinds: Sequence[KindSpec] = ()) -> PipelineSpec:
    """The spec of a pipeline file whose `root` fits the schema."""
    start = Span(file=root.span.file, line=1, column=1, end_line=1, end_column=1)
    return PipelineSpec(
        file=root.span.file,
        name=text(root.get("name")),
        locale=optional_text(root.get("locale")) or Located(value=DEFAULT_LOCALE, span=start),
        timezone=optional_text(root.get("timezone")) or Located(value=DEFAULT_TIMEZONE, span=start),
        deadline=_optional(root.get("deadline"), duration) or Located(value=DEFAULT_DEADLINE, span=start),
        persona=_persona(mapping(root.get("persona"))),
        reply_globs=texts(root.get("replies")),
        replies=tuple(replies),
        models={entry.key.value: _model(entry) for entry in entries(root.get("models"))},
        steps=tuple(_step(mapping(node)) for node in items(root.get("steps"))),
        memory=tuple(_memory(entry) for entry in entries(root.get("memory"))),
        kind_globs=texts(root.get("kinds")),
        kinds=tuple(kinds),
        address=texts(root.get("address")),
        synonyms=tuple(texts(group) for group in items(root.get("synonyms"))),
        mask=texts(root.get("mask")),
        limits=_limits(root.get("limits")),
    )


def literal_values(root: MappingNode) -> Any:
    """The plain values of a pipeline with times in seconds and defaults in the place of `${NAME:default}`.

    These are held against the schema once more, so that a default obeys the same rules as a literal.
    """
    values = plain(root)
    for row in values.get("models", {}).values():
        row.update({key: _default(value) for key, value in row.items()})
    for step in values["steps"]:
        step.update({key: _time(step[key]) for key in LIMITS if key in step})
    if "deadline" in values:
        values["deadline"] = _time(values["deadline"])
    return values


def _default(value: Any) -> Any:
    reference = parse_reference(value)
    return value if reference is None or reference.default is None else reference.default


def _time(value: Any) -> Any:
    return seconds(_default(value))


def _optional(node: Node | None, convert: Callable[[Node], Setting]) -> Setting | None:
    return None if node is None else convert(node)


def _persona(node: MappingNode) -> PersonaSpec:
    name = text(node.get("name"))
    labels = node.get("labels")
    user = labels.get("user") if isinstance(labels, MappingNode) else None
    reply = labels.get("reply") if isinstance(labels, MappingNode) else None
    return PersonaSpec(
        name=name,
        user_label=DEFAULT_USER_LABEL if user is None else text(user).value,
        reply_label=name.value if reply is None else text(reply).value,
        examples=tuple(
            ExchangeSpec(user=text(mapping(item).get("user")), reply=text(mapping(item).get("reply")))
            for item in items(node.get("examples"))
        ),
        data=plain(node),
        span=node.span,
    )


def _limits(node: Node | None) -> LimitsSpec | None:
    if not isinstance(node, MappingNode):
        return None
    return LimitsSpec(
        anonymous=_limit(node.get("anonymous")),
        user=_limit(node.get("user")),
        everyone=_limit(node.get("everyone")),
        reply=optional_text(node.get("reply")),
    )


def _limit(node: Node | None) -> Limit:
    """`50/day` and `0.05 USD/day`, as the schema has them."""
    if not isinstance(node, MappingNode):
        return Limit()
    turns, external = optional_text(node.get("turns")), optional_text(node.get("external"))
    return Limit(
        turns=None if turns is None else int(turns.value.partition("/")[0]),
        external=None if external is None else round(float(external.value.partition(" ")[0]) * 1_000_000),
    )


def _model(entry: Entry) -> ModelSpec:
    node = mapping(entry.value)
    settings = {item.key.value: setting(item.value) for item in node.entries}
    return ModelSpec(id=entry.key, backend=settings.pop("backend"), settings=settings, span=node.span)


def _memory(entry: Entry) -> MemorySpec:
    row = mapping(entry.value)
    after = row.get("forget_after")
    return MemorySpec(
        name=entry.key,
        label=text(row.get("label")).value,
        characters=int(number(row.get("max"), DEFAULT_CHARACTERS)),
        forget_after=None if after is None else _days(text(after).value),
    )


def _days(written: str) -> float:
    """A time such as `90d` or `12h` in seconds."""
    return float(written[:-1]) * {"d": 24 * 3600.0, "h": 3600.0}[written[-1]]


class _Keys:
    """The keys of a mapping, read for the module of a step kind."""

    def __init__(self, node: MappingNode) -> None:
        self._node = node

    def key(self, name: str) -> Text | None:
        entry = self._node.entry(name)
        return entry.key if entry else None

    def text(self, name: str) -> Text:
        return text(self._node.get(name))

    def optional_text(self, name: str) -> Text | None:
        return optional_text(self._node.get(name))

    def texts(self, name: str) -> tuple[Text, ...]:
        return texts(self._node.get(name))

    def flag(self, name: str) -> bool:
        return flag(self._node.get(name))

    def number(self, name: str) -> float:
        return number(self._node.get(name), 0.0)

    def setting(self, name: str) -> Setting | None:
        return _optional(self._node.get(name), setting)

    def duration(self, name: str) -> Setting | None:
        return _optional(self._node.get(name), duration)

    def items(self, name: str) -> tuple[Text | Keys, ...]:
        found = items(self._node.get(name))
        return tuple(_Keys(item) if isinstance(item, MappingNode) else text(item) for item in found)

    def pairs(self, name: str) -> tuple[tuple[Text, Text], ...]:
        return tuple((entry.key, text(entry.value)) for entry in entries(self._node.get(name)))


def _step(node: MappingNode) -> StepSpec:
    keys = _Keys(node)
    kind = keys.text("kind").value
    spec = StepSpec(id=keys.text("id"), kind=kind, when=keys.optional_text("when"), span=node.span)
    return step_kind(kind).read(spec, keys) if kind in STEP_KINDS else spec
