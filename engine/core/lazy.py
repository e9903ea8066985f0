"""Computes values of a mapping when they are first asked for: what conditions and templates may use costs nothing else.

A canned reply must not wait for a dictionary that only another reply's condition would have looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


class LazyMapping(Mapping[str, Any]):
    """Plain values, and values that a function computes once; for the thread of one turn."""

    def __init__(self, known: Mapping[str, Any], late: Mapping[str, Callable[[], Any]]) -> None:
        self._known = dict(known)
        self._late = dict(late)

    def __getitem__(self, name: str) -> Any:
        if name not in self._known and name in self._late:
            self._known[name] = self._late[name]()
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        yield from {**self._late, **self._known}

    def __len__(self) -> int:
        return len(self._late.keys() | self._known.keys())

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in self._late

    def also(self, **more: Any) -> LazyMapping:
        """A mapping with further values, which replace those of the same name; what is computed here is not kept."""
        return LazyMapping({**self._known, **more}, {name: self._later(name) for name in self._late})

    def _later(self, name: str) -> Callable[[], Any]:
        return lambda: self[name]
