"""Finds the reply that said a text: one without placeholders by a hash table, another by the words of its template.

A client that sends the history itself sends the words alone; what a reply declares is looked up here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from engine.core.plan import Reply, Variant
from engine.core.table import Table, bucket_of, make_buckets, make_table
from engine.core.turn import Talk

_LEAST = 6
"""Characters that a template must say of itself before words are taken for its own."""


class SpokenTexts:
    """All that `replies` can say. Immutable, and read no further than a text needs."""

    def __init__(self, replies: Sequence[Reply], section: memoryview) -> None:
        """`section` is what `store` made of the same replies."""
        self._replies = replies
        self._table = Table(section)

    @staticmethod
    def store(replies: Sequence[Reply]) -> bytes:
        """The hash table, and for each template where it stands and its words around the values."""
        fixed = ((place, one.text.source) for place, _, one in _variants(replies) if one.text.constant)
        templates = [
            (place, number, own)
            for place, number, one in _variants(replies)
            if not one.text.constant and "{%" not in one.text.source
            if sum(map(len, own := re.split(r"\{\{.*?\}\}", one.text.source))) >= _LEAST
        ]
        written = json.dumps(templates, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return make_table([make_buckets(fixed), written])

    @classmethod
    def of(cls, replies: Sequence[Reply]) -> SpokenTexts:
        return cls(replies, memoryview(cls.store(replies)))

    def find(self, text: str) -> Talk | None:
        """What the first reply that can say `text` declares."""
        for place in bucket_of(text, self._fixed):
            reply = self._replies[place]
            for variant in reply.say:
                if variant.text.constant and variant.text.source == text:
                    return _declared(reply, variant)
        for place, number, own in self._templates:
            if _says(own, text):
                reply = self._replies[place]
                return _declared(reply, reply.say[number])
        return None

    @cached_property
    def _fixed(self) -> Table:
        return Table(self._table[0])

    @cached_property
    def _templates(self) -> Sequence[tuple[int, int, Sequence[str]]]:
        templates: Sequence[tuple[int, int, Sequence[str]]] = json.loads(str(self._table[1], "utf-8", "surrogatepass"))
        return templates


def _variants(replies: Sequence[Reply]) -> Iterator[tuple[int, int, Variant]]:
    for place, reply in enumerate(replies):
        for number, variant in enumerate(reply.say):
            yield place, number, variant


def _declared(reply: Reply, variant: Variant) -> Talk:
    offers = variant.offers
    offered = offers.source if offers is not None and offers.constant else None
    return Talk(reply_id=reply.id, engine="canned", offered=offered, topic=reply.topic)


def _says(own: Sequence[str], text: str) -> bool:
    """Whether the words `own` of a template stand in `text` in their order, the first and the last at its ends."""
    first, *between, last = own
    if not (text.startswith(first) and text.endswith(last) and len(first) + len(last) <= len(text)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in between:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
