"""A replies file that fits its schema, as typed specs."""

from __future__ import annotations

from engine.core.source import Located, Text
from engine.pipeline.reading.node import MappingNode, Node, ScalarNode
from engine.pipeline.schema.values import (
    entries,
    flag,
    items,
    mapping,
    number,
    optional_text,
    optional_words,
    text,
    texts,
)
from engine.pipeline.spec import (
    ContainsTrigger,
    FuzzyTrigger,
    RegexTrigger,
    ReplySpec,
    TriggerSpec,
    VariantSpec,
    WordsTrigger,
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
