"""Finds the texts that equal a query or come close to it: by comparing all where they are few, by the exact filter
where they are many or stored. The answer is the same either way.

A row is a trigger's position in the pipeline; triggers that are not fuzzy have empty texts, to which nothing is close.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from operator import eq
from typing import TYPE_CHECKING, Protocol

from engine.core.table import Decoded, Table, bucket_of, make_buckets, make_table

if TYPE_CHECKING:
    from engine.matching.exact import Column

FEW = 300
"""Triggers up to which comparing all is faster."""

MOST_KEPT = 50_000
"""Texts kept decoded."""

EQUAL = ("text", "bag")
"""The columns in which an equal text is found at once."""

Columns = Mapping[str, Sequence[str]]
"""For each form that is compared, its text for each trigger; `text` holds the normal forms."""


class Search(Protocol):
    """`close` gives row, stored text and ratio (0-100) of each text that reaches `cutoff`, in no certain order."""

    def equal(self, text: str, column: str = "text") -> Sequence[int]: ...
    def close(self, column: str, query: str, cutoff: float) -> Sequence[tuple[int, str, float]]: ...


def open_search(columns: Columns) -> Search:
    """The search that suits the number of triggers."""
    if len(columns["text"]) <= FEW:
        return ListSearch(columns)
    return StoredSearch({name: memoryview(data) for name, data in store_search(columns).items()}, columns)


class ListSearch:
    """Compares a query with every text."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._equal: dict[str, dict[str, list[int]]] = {name: {} for name in EQUAL}
        for name, rows in self._equal.items():
            for row, text in enumerate(columns[name]):
                rows.setdefault(text, []).append(row)

    def equal(self, text: str, column: str = "text") -> Sequence[int]:
        return self._equal[column].get(text, []) if text else []

    def close(self, column: str, query: str, cutoff: float) -> Sequence[tuple[int, str, float]]:
        from engine.matching.exact import alike

        return [one for one in alike(query, self._columns[column], cutoff) if one[1]]


def store_search(columns: Columns) -> dict[str, bytes]:
    """The sections that `StoredSearch` opens."""
    from engine.matching.exact import make_bitmaps

    signs = {name: ["".join(sorted(text)) for text in texts] for name, texts in columns.items()}
    twins = _twins(signs)
    sections = {
        f"{name}.equal": make_buckets((row, text) for row, text in enumerate(columns[name]) if text) for name in EQUAL
    }
    sections |= {"twins": make_table([json.dumps(twins).encode()])}
    for name, texts in columns.items():
        sections[f"{name}.texts"] = make_table(text.encode("utf-8", "surrogatepass") for text in texts)
        of_its_own = [
            "" if name in twins and own == other else text
            for text, own, other in zip(texts, signs[name], signs[twins.get(name, name)], strict=True)
        ]
        sections[f"{name}.bitmaps"] = make_bitmaps(of_its_own)
    return sections


class StoredSearch:
    """Searches sections without reading more of them than a query needs."""

    def __init__(self, sections: Mapping[str, memoryview], texts: Columns | None = None) -> None:
        """`texts` are those of the sections, where they are at hand."""
        self._sections = sections
        self._texts = dict(texts or {})
        self._columns: dict[str, Column] = {}
        self._buckets: dict[str, Table] = {}

    def equal(self, text: str, column: str = "text") -> Sequence[int]:
        if column not in self._buckets:
            self._buckets[column] = Table(self._sections[f"{column}.equal"])
        texts = self._texts_of(column)
        return [row for row in bucket_of(text, self._buckets[column]) if texts[row] == text] if text else []

    def close(self, column: str, query: str, cutoff: float) -> Sequence[tuple[int, str, float]]:
        return self.column(column).matches(query, cutoff)

    def column(self, name: str) -> Column:
        """The column of that name, opened when it is first asked for."""
        if name not in self._columns:
            from engine.matching.exact import Column

            twin = self.column(self._twins[name]) if name in self._twins else None
            self._columns[name] = Column(self._texts_of(name), self._sections[f"{name}.bitmaps"], twin)
        return self._columns[name]

    @cached_property
    def _twins(self) -> Mapping[str, str]:
        twins: Mapping[str, str] = json.loads(bytes(Table(self._sections["twins"])[0]))
        return twins

    def _texts_of(self, column: str) -> Sequence[str]:
        if column not in self._texts:
            table = Table(self._sections[f"{column}.texts"])
            self._texts[column] = Decoded(
                table, lambda piece: str(piece, "utf-8", "surrogatepass"), most_kept=MOST_KEPT
            )
        return self._texts[column]


def _twins(signs: Columns) -> dict[str, str]:
    """The columns most of whose texts have the same characters as those of a column before them, with that column;
    `signs` are the texts with their characters in order.
    """
    names, twins = list(signs), dict[str, str]()
    for place, name in enumerate(names):
        for other in names[:place]:
            same = sum(map(eq, signs[name], signs[other]))
            if other not in twins and same > len(signs[name]) / 2:
                twins[name] = other
    return twins
