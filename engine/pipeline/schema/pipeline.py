"""A pipeline file that fits its schema, as a typed spec without its replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from engine.core.source import Located, Span
from engine.pipeline.reading.node import Entry, MappingNode, Node, ScalarNode, plain
from engine.pipeline.schema.values import (
    duration,
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
    DetectorName,
    DetectorSpec,
    ExchangeSpec,
    ExpressionDetectorSpec,
    GenerateStepSpec,
    KindSpec,
    ModelSpec,
    NamedDetectorSpec,
    PersonaSpec,
    PipelineSpec,
    RepliesStepSpec,
    ReplySpec,
    SayStepSpec,
    SetStepSpec,
    Setting,
    StepSpec,
    Text,
)

DEFAULT_LOCALE = "en"
DEFAULT_TIMEZONE = "UTC"
DEFAULT_DEADLINE = 7.5
"""Seconds; the web client gives up after 8.0."""

DEFAULT_THRESHOLD = 80.0
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
        models={entry.key.value: _model(entry) for entry in _entries(root.get("models"))},
        steps=tuple(_step(mapping(node)) for node in items(root.get("steps"))),
        kind_globs=texts(root.get("kinds")),
        kinds=tuple(kinds),
        address=texts(root.get("address")),
        synonyms=tuple(texts(group) for group in items(root.get("synonyms"))),
    )


def literal_values(root: MappingNode) -> Any:
    """The plain values of a pipeline with times in seconds and defaults in the place of `${NAME:default}`.

    These are held against the schema once more, so that a default obeys the same rules as a literal.
    """
    values = plain(root)
    for row in values.get("models", {}).values():
        row.update({key: _default(value) for key, value in row.items()})
    for step in values["steps"]:
        step.update({key: _time(step[key]) for key in ("threshold", "timeout") if key in step})
    if "deadline" in values:
        values["deadline"] = _time(values["deadline"])
    return values


def _default(value: Any) -> Any:
    reference = parse_reference(value)
    return value if reference is None or reference.default is None else reference.default


def _time(value: Any) -> Any:
    return seconds(_default(value))


def _entries(node: Node | None) -> tuple[Entry, ...]:
    return node.entries if isinstance(node, MappingNode) else ()


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


def _model(entry: Entry) -> ModelSpec:
    node = mapping(entry.value)
    settings = {item.key.value: setting(item.value) for item in node.entries}
    return ModelSpec(id=entry.key, backend=settings.pop("backend"), settings=settings, span=node.span)


def _replies_step(node: MappingNode, common: Mapping[str, Any]) -> StepSpec:
    default: Setting = Located(value=DEFAULT_THRESHOLD, span=node.span)
    return RepliesStepSpec(
        **common,
        threshold=_optional(node.get("threshold"), setting) or default,
        otherwise=flag(node.get("otherwise")),
        only=texts(node.get("only")),
    )


def _generate_step(node: MappingNode, common: Mapping[str, Any]) -> StepSpec:
    return GenerateStepSpec(
        **common,
        models=_models(node),
        prompt=text(node.get("prompt")),
        timeout=_optional(node.get("timeout"), duration),
        escalate_when=tuple(_detector(item) for item in items(node.get("escalate_when"))),
        escalate_to=optional_text(node.get("escalate_to")),
    )


def _models(node: MappingNode) -> tuple[Text, ...]:
    single = node.get("model")
    return texts(node.get("models")) if single is None else (text(single),)


def _say_step(node: MappingNode, common: Mapping[str, Any]) -> StepSpec:
    return SayStepSpec(**common, reply=text(node.get("reply")))


def _set_step(node: MappingNode, common: Mapping[str, Any]) -> StepSpec:
    return SetStepSpec(**common, vars=tuple((entry.key, text(entry.value)) for entry in _entries(node.get("vars"))))


_STEPS: Mapping[str, Callable[[MappingNode, Mapping[str, Any]], StepSpec]] = {
    "replies": _replies_step,
    "generate": _generate_step,
    "say": _say_step,
    "set": _set_step,
}


def _step(node: MappingNode) -> StepSpec:
    common = {"id": text(node.get("id")), "when": optional_text(node.get("when")), "span": node.span}
    return _STEPS.get(text(node.get("kind")).value, _set_step)(node, common)


def _detector(node: Node) -> DetectorSpec:
    if isinstance(node, ScalarNode):
        word = text(node)
        return NamedDetectorSpec(name=Located(value=cast("DetectorName", word.value), span=word.span))
    entries = mapping(node)
    confidence = entries.entry("low_confidence")
    if confidence is not None:
        name: Located[DetectorName] = Located(value="low_confidence", span=confidence.key.span)
        return NamedDetectorSpec(name=name, threshold=number(confidence.value, 0.0))
    return ExpressionDetectorSpec(
        test=text(entries.get("if")), reason=text(entries.get("reason")), doubt=flag(entries.get("doubt"))
    )
