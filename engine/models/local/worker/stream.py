"""Collects the bytes a model writes until one of the stop strings stands in them."""

from __future__ import annotations


class Stream:
    """Works on bytes, because a token may end in the middle of a character."""

    def __init__(self, stop: tuple[str, ...]) -> None:
        self._stop = tuple(text.encode() for text in stop if text)
        self._longest = max(map(len, self._stop), default=0)
        self._bytes = bytearray()
        self._begun = False

    def add(self, piece: bytes) -> bool:
        """Whether a stop string has come up; white space before the first word is no part of the text."""
        if not self._begun:
            piece = piece.lstrip(b" \t")
            self._begun = bool(piece)
        searched = max(0, len(self._bytes) - self._longest)
        self._bytes += piece
        found = [at for at in (self._bytes.find(stop, searched) for stop in self._stop) if at >= 0]
        if found:
            del self._bytes[min(found) :]
        return bool(found)

    def text(self) -> str:
        """What stands before the stop string; half a character at the end is dropped."""
        return self._bytes.decode("utf-8", "ignore")

    def certain(self) -> str:
        """The text without an end that may turn out to begin a stop string."""
        begun = (stop[:size] for stop in self._stop for size in range(1, len(stop)))
        end = max((len(beginning) for beginning in begun if self._bytes.endswith(beginning)), default=0)
        return self._bytes[: len(self._bytes) - end].decode("utf-8", "ignore")
