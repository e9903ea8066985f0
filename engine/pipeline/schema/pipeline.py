"""Makes typed specs of the trees of pipelines, replies and kinds that fit their schemas."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

from engine.core.expression import Value
from engine.core.plan import Limit
from engine.core.source import EnvRef, Located, Setting, Span, Text
from engine.pipeline.environment import LIMITS
from engine.pipeline.reading.node import Entry, MappingNode, Node, ScalarNode, SequenceNode, parse_default, plain
from engine.pipeline.spec import (
    ContainsTrigger,
    ExchangeSpec,
    FuzzyTrigger,
    KindSpec,
    LimitsSpec,
    MemorySpec,
    ModelSpec,
    PersonaSpec,
    PipelineSpec,
    RegexTrigger,
    ReplySpec,
    TriggerSpec,
    VariantSpec,
    WordsTrigger,
)
from engine.steps.kinds import STEP_KINDS, step_kind
from engine.steps.spec import Keys, StepSpec

_REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::([^{}]*))?\}", re.ASCII)
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)", re.ASCII)
_SECONDS = {"s": 1.0, "ms": 0.001}


def text(node: Node | None) -> Text:
    """A scalar as the text that was written, with its place."""
    scalar = cast("ScalarNode", node)
    return Located(value=scalar.source, span=scalar.span)


def optional_text(node: Node | None) -> Text | None:
    return None if node is None else text(node)


def optional_words(node: Node | None) -> str | None:
    """A scalar as the text that was written, where its place does not matter."""
    return None if node is None else text(node).value


def flag(node: Node | None) -> bool:
    return isinstance(node, ScalarNode) and node.value is True


def texts(node: Node | None) -> tuple[Text, ...]:
    return tuple(text(item) for item in items(node))


def items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, SequenceNode) else ()


def entries(node: Node | None) -> tuple[Entry, ...]:
    return node.entries if isinstance(node, MappingNode) else ()


def mapping(node: Node | None) -> MappingNode:
    return cast("MappingNode", node)


def number(node: Node | None, default: float) -> float:
    value = node.value if isinstance(node, ScalarNode) else default
    return float(value) if isinstance(value, int | float) else default


def setting(node: Node) -> Setting:
    """A literal, a list of literals, or a reference to the environment."""
    if isinstance(node, SequenceNode):
        found: Value = tuple(item.value for item in node.items if isinstance(item, ScalarNode))
        return Located(value=found, span=node.span)
    value = cast("ScalarNode", node).value
    reference = parse_reference(value)
    return Located(value=value if reference is None else reference, span=node.span)


def duration(node: Node) -> Setting:
    """As `setting`, with times such as `4s` in seconds."""
    found = setting(node)
    if isinstance(found.value, EnvRef):
        reference = found.value
        default = seconds(reference.default)
        return Located(
            value=EnvRef(name=reference.name, default=default, has_default=reference.has_default), span=found.span
        )
    return Located(value=seconds(found.value), span=found.span)


def seconds(value: Any) -> Any:
    """A time such as `1.5s` or `900ms` as a number of seconds; anything else as it is."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return float(match[1]) * _SECONDS[match[2]] if match else value


def parse_reference(value: Any) -> EnvRef | None:
    """The reference that `${NAME:default}` is, or `None` for any other value. An empty default is no value."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    default = parse_default(match[2]) if match[2] is not None else None
    return EnvRef(name=match[1], default=default, has_default=match[2] is not None)


def kind_specs(root: MappingNode) -> tuple[KindSpec, ...]:
    """The kinds of a file, in order."""
    return tuple(
        KindSpec(
            name=entry.key,
            examples=tuple(
                example
                for group in mapping(mapping(entry.value).get("examples")).entries
                for example in texts(group.value)
            ),
        )
        for entry in mapping(root.get("kinds")).entries
    )


def reply_specs(root: MappingNode) -> tuple[ReplySpec, ...]:
    """The replies of a file, in order."""
    return tuple(reply_spec(mapping(node)) for node in items(root.get("replies")))


def reply_spec(node: MappingNode) -> ReplySpec:
    """One reply whose node fits the schema."""
    return ReplySpec(
        id=text(node.get("id")),
        match=tuple(_trigger(item) for item in items(node.get("match"))),
        when=optional_text(node.get("when")),
        priority=int(number(node.get("priority"), 0)),
        say=tuple(_variant(item, optional_text(node.get("offers"))) for item in items(node.get("say"))),
        examples=texts(node.get("examples")),
        counterexamples=texts(node.get("counterexamples")),
        span=node.span,
        topic=optional_words(node.get("topic")),
        otherwise=flag(node.get("otherwise")),
        tags=texts(node.get("tags")),
        remember=tuple((entry.key, text(entry.value)) for entry in entries(node.get("remember"))),
        forget=texts(node.get("forget")),
    )


def _trigger(node: Node) -> TriggerSpec:
    if isinstance(node, ScalarNode):
        return FuzzyTrigger(text=text(node))
    entry = mapping(node).entries[0]
    if entry.key.value == "contains":
        return ContainsTrigger(text=text(entry.value))
    if entry.key.value == "words":
        words = texts(entry.value)
        shown = " ".join(word.value for word in words)
        return WordsTrigger(words=words, text=Located(value=shown, span=entry.value.span))
    return RegexTrigger(pattern=text(entry.value))


def _variant(node: Node, offers: Text | None) -> VariantSpec:
    if isinstance(node, ScalarNode):
        return VariantSpec(text=text(node), offers=offers)
    variant = mapping(node)
    return VariantSpec(
        text=text(variant.get("text")),
        weight=number(variant.get("weight"), 1.0),
        offers=optional_text(variant.get("offers")) or offers,
    )


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
