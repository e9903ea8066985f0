"""A file of kinds that fits its schema, as typed specs."""

from __future__ import annotations

from engine.pipeline.reading.node import MappingNode
from engine.pipeline.schema.values import mapping, texts
from engine.pipeline.spec import KindSpec


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
