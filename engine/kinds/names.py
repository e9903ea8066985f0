"""What conditions and templates see as `kind`: worked out when one of them looks, once a turn."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from engine.core.expression import LazyMapping
from engine.core.ports import SentenceKinds


def names_of_kind(model: SentenceKinds | None, text: str) -> Mapping[str, Any]:
    """`name` and `second` are the likeliest kinds, `sure` is the chance of the first, `chance` holds that of each."""
    if model is None:
        return {}
    kind = LazyMapping(
        {},
        {
            "chance": lambda: model.chances(text),
            "name": lambda: next(iter(kind["chance"])),
            "sure": lambda: next(iter(kind["chance"].values())),
            "second": lambda: next(islice(kind["chance"], 1, None), None),
        },
    )
    return kind
