"""The text of source files as lines, read once each, for showing a problem and for finding a word near it."""

from __future__ import annotations

import re
from pathlib import Path

from engine.core.source import Span
from engine.pipeline.reading.decoding import at, lines, read_text


class Sources:
    """Lines of files by the names that spans give them. A file that cannot be read has no lines."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def lines(self, file: str) -> list[str]:
        if file not in self._lines:
            text, _ = read_text(Path(file), file)
            self._lines[file] = [] if text is None else lines(text)
        return self._lines[file]

    def line(self, file: str, number: int) -> str:
        """Line `number`, counted from 1; empty where there is none."""
        found = self.lines(file)
        return found[number - 1] if 1 <= number <= len(found) else ""

    def is_block(self, span: Span) -> bool:
        """Whether the scalar at `span` is written after `|` or `>`, so that its text begins on the next line."""
        return self.line(span.file, span.line)[span.column - 1 : span.column] in ("|", ">")

    def find(self, span: Span, word: str, *, line: int = 1) -> Span:
        """Where `word` stands as a whole word inside `span`, from its `line`-th line of text on; else the line's start.

        Words are looked for in what the editor wrote; where an escape hides the word, the span is the answer.
        """
        first = span.line + (line if self.is_block(span) else line - 1)
        pattern = _whole(word) if word else re.compile(r"\S")
        for number in range(max(first, span.line), span.end_line + 1):
            start = span.column - 1 if number == span.line else 0
            found = pattern.search(self.line(span.file, number), start)
            if found and (number < span.end_line or found.start() < span.end_column - 1):
                return at(span.file, number, found.start() + 1, len(word) or 1)
        return span


def _whole(word: str) -> re.Pattern[str]:
    """Signs may touch what stands beside them, words may not."""
    before, after = r"(?<![\w.])" if re.match(r"\w", word) else "", r"(?!\w)" if re.search(r"\w\Z", word) else ""
    return re.compile(f"{before}{re.escape(word)}{after}")
