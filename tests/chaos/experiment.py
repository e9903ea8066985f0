"""What an experiment reports: a line a claim, with how often it held."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`right` of `asked` cases were as claimed; `figures` says what was measured beside it."""

    what: str
    right: int
    asked: int
    figures: str = ""

    @property
    def holds(self) -> bool:
        return self.right == self.asked
