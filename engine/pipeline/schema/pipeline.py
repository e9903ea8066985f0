"""Makes typed specs of the trees of pipelines, replies and kinds that fit their schemas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.core.node import Entry, MappingNode, Node, ScalarNode, items, parse_reference, plain, seconds
from engine.core.plan import Limit
from engine.core.source import Located, Span, Text
from engine.pipeline.environment import LIMITS
from engine.pipeline.spec import (
    ExchangeSpec,
    KindSpec,
    LimitsSpec,
    MemorySpec,
    ModelSpec,
    PersonaSpec,
    PipelineSpec,
    ReplySpec,
    TriggerSpec,
    VariantSpec,
)
from engine.steps.kinds import STEP_KINDS, step_kind
from engine.steps.spec import StepSpec

DEFAULT_DEADLINE = 7.5
"""Seconds; the web client gives up after 8.0."""


def pipeline_spec(root: MappingNode, replies: Sequence[ReplySpec], kinds: Sequence[KindSpec] = ()) -> PipelineSpec:
    """The spec of a pipeline file whose `root` fits the schema."""
    start = Span(file=root.span.file, line=1, column=1, end_line=1, end_column=1)
    return PipelineSpec(
        file=root.span.file,
        name=root.text("name"),
        locale=root.optional_text("locale") or Located(value="en", span=start),
        timezone=root.optional_text("timezone") or Located(value="UTC", span=start),
        deadline=root.duration("deadline") or Located(value=DEFAULT_DEADLINE, span=start),
        persona=_persona(root.get("persona")),
        reply_globs=root.texts("replies"),
        replies=tuple(replies),
        models={entry.key.value: _model(entry) for entry in root.rows("models")},
        steps=tuple(map(_step, root.mappings("steps"))),
        memory=tuple(map(_memory, root.rows("memory"))),
        kind_globs=root.texts("kinds"),
        kinds=tuple(kinds),
        address=root.texts("address"),
        synonyms=tuple(_texts(group) for group in root.items("synonyms")),
        mask=root.texts("mask"),
        limits=_limits(root.get("limits")),
        closing=root.optional_text("closing"),
    )


def literal_values(root: Node) -> Any:
    """The plain values of a pipeline with times in seconds and defaults in the place of `${NAME:default}`.

    These are held against the schema once more, so that a default obeys the same rules as a literal.
    """
    values = plain(root)
    for row in values.get("models", {}).values():
        row.update({key: _default(value) for key, value in row.items()})
    for step in values["steps"]:
        step.update({key: seconds(_default(step[key])) for key in LIMITS if key in step})
    if "deadline" in values:
        values["deadline"] = seconds(_default(values["deadline"]))
    return values


def _default(value: Any) -> Any:
    reference = parse_reference(value)
    return value if reference is None or reference.default is None else reference.default


def _texts(node: Node) -> tuple[Text, ...]:
    return tuple(item.text for item in items(node) if isinstance(item, ScalarNode))


def _persona(node: Any) -> PersonaSpec:
    name, labels, said = node.text("name"), node.get("labels"), node.mappings("examples")
    user, reply = (labels.words(of) if isinstance(labels, MappingNode) else None for of in ("user", "reply"))
    return PersonaSpec(
        name=name,
        user_label="User" if user is None else user,
        reply_label=name.value if reply is None else reply,
        examples=tuple(ExchangeSpec(user=one.text("user"), reply=one.text("reply")) for one in said),
        data=plain(node),
        span=node.span,
    )


def _limits(node: Any) -> LimitsSpec | None:
    if node is None:
        return None
    people = {name: _limit(node.get(name)) for name in ("anonymous", "user", "everyone")}
    prices: Any = node.get("prices")
    return LimitsSpec(
        **people,
        reply=node.optional_text("reply"),
        prices={} if prices is None else {name: tuple(pair) for name, pair in plain(prices)["models"].items()},
        priced="" if prices is None else plain(prices)["as_of"],
    )


def _limit(node: Any) -> Limit:
    """`50/day` and `0.05 USD/day`, as the schema has them."""
    turns, external = (node.words("turns"), node.words("external")) if node else (None, None)
    return Limit(
        turns=int(turns.partition("/")[0]) if turns else None,
        external=round(float(external.partition(" ")[0]) * 1_000_000) if external else None,
    )


def _model(entry: Entry) -> ModelSpec:
    node: Any = entry.value
    settings = {item.key.value: node.setting(item.key.value) for item in node.entries}
    return ModelSpec(id=entry.key, backend=settings.pop("backend"), settings=settings, span=node.span)


def _memory(entry: Entry) -> MemorySpec:
    row: Any = entry.value
    after = row.words("forget_after")
    return MemorySpec(
        name=entry.key,
        label=row.words("label"),
        characters=int(row.number("max", 60)),
        forget_after=float(after[:-1]) * {"d": 24 * 3600.0, "h": 3600.0}[after[-1]] if after else None,
    )


def _step(node: MappingNode) -> StepSpec:
    kind = node.text("kind").value
    spec = StepSpec(id=node.text("id"), kind=kind, when=node.optional_text("when"), span=node.span)
    return step_kind(kind).read(spec, node) if kind in STEP_KINDS else spec


def reply_spec(node: MappingNode) -> ReplySpec:
    """Reads one reply whose node fits the schema."""
    return ReplySpec(
        id=node.text("id"),
        match=tuple(map(_trigger, node.items("match"))),
        when=node.optional_text("when"),
        priority=int(node.number("priority")),
        say=tuple(_variant(item, node.optional_text("offers")) for item in node.items("say")),
        examples=node.texts("examples"),
        counterexamples=node.texts("counterexamples"),
        span=node.span,
        topic=node.words("topic"),
        otherwise=node.flag("otherwise"),
        tags=node.texts("tags"),
        remember=node.pairs("remember"),
        forget=node.texts("forget"),
    )


def _trigger(node: Any) -> TriggerSpec:
    if isinstance(node, ScalarNode):
        return TriggerSpec(kind="fuzzy", text=node.text)
    ((key, value),) = node.entries
    if key.value != "words":
        return TriggerSpec(kind=key.value, text=value.text)
    words = _texts(value)
    return TriggerSpec(
        kind="words", words=words, text=Located(value=" ".join(one.value for one in words), span=value.span)
    )


def _variant(node: Any, offers: Text | None) -> VariantSpec:
    if isinstance(node, ScalarNode):
        return VariantSpec(text=node.text, offers=offers)
    own = node.optional_text("offers")
    return VariantSpec(text=node.text("text"), weight=node.number("weight", 1.0), offers=own or offers)


def kind_spec(entry: Entry) -> KindSpec:
    """A kind with its examples of all languages."""
    node: Any = entry.value
    groups = [_texts(group.value) for group in node.rows("examples")]
    return KindSpec(name=entry.key, examples=tuple(text for group in groups for text in group))
