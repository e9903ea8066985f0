"""An index that looks a text up once, a little below the threshold that is asked for: who was near comes for free."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.ports import Candidate, ReplyIndex

MARGIN = 5.0
"""Points of score within which another reply counts as near."""


class RememberingIndex:
    """A `ReplyIndex` over another one. What it gives is the same: a lower threshold only adds candidates at the end."""

    def __init__(self, index: ReplyIndex) -> None:
        self._index = index
        self._known: dict[tuple[str, float], Sequence[Candidate]] = {}

    def candidates(self, text: str, threshold: float) -> Sequence[Candidate]:
        return [one for one in self.near(text, threshold) if one.score >= threshold]

    def is_trigger(self, text: str) -> bool:
        return self._index.is_trigger(text)

    def near(self, text: str, threshold: float) -> Sequence[Candidate]:
        """As `candidates`, with those that miss the threshold by less than `MARGIN`."""
        if (text, threshold) not in self._known:
            self._known[text, threshold] = tuple(self._index.candidates(text, max(threshold - MARGIN, 0.0)))
        return self._known[text, threshold]


def near_candidates(index: ReplyIndex, text: str, threshold: float) -> Sequence[Candidate]:
    """The candidates of any index, with those that miss the threshold by less than `MARGIN`."""
    if isinstance(index, RememberingIndex):
        return index.near(text, threshold)
    return tuple(index.candidates(text, max(threshold - MARGIN, 0.0)))
