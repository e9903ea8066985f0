"""Problems for people: the place, the source line, a caret under the exact words, and what to write instead.

Columns on the screen are not characters: Japanese takes two cells each. Characters that would move the cursor or hide
are shown as a replacement, so that a file can never dress up its own report.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from engine.core.language import Language, joined, phrase, said, spoken
from engine.core.source import Problem, Span
from engine.pipeline.reading.files import Sources
from engine.text.cleaning import covered
from engine.validation.reporters.report import Report

WIDEST = 110
"""Cells of a source line that are shown; longer lines are cut around the caret."""

NEAR = 2_000
"""Characters around the caret that are looked at for secrets."""

_TAB = "→   "
_RESET = "\x1b[0m"
_STYLES = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "place": "\x1b[1m", "faint": "\x1b[2m", "good": "\x1b[1;32m"}


@dataclass(frozen=True, slots=True)
class Painter:
    """Colours words where `on`, and leaves them alone where not."""

    on: bool

    def __call__(self, style: str, words: str) -> str:
        return f"{_STYLES[style]}{words}{_RESET}" if self.on and words else words


def render(report: Report, sources: Sources, *, colour: bool = False, language: Language | None = None) -> str:
    """The whole report in `language`, that of the command where none is given; it ends in a newline."""
    problems = render_problems(report.problems, sources, colour=colour, language=language)
    return f"{problems}{_summary(report, Painter(colour), language)}\n"


def render_problems(
    problems: Sequence[Problem], sources: Sources, *, colour: bool = False, language: Language | None = None
) -> str:
    """The problems alone, an empty line after each."""
    paint = Painter(colour)
    return "".join("\n".join(_block(problem, sources, paint, language)) + "\n\n" for problem in problems)


def _summary(report: Report, paint: Painter, language: Language | None) -> str:
    """Counts and time."""
    errors = phrase("1 error") if report.errors == 1 else phrase("{count:,} errors", count=report.errors)
    warnings = phrase("1 warning") if report.warnings == 1 else phrase("{count:,} warnings", count=report.warnings)
    counts = [
        paint("error", said(errors, language)) if report.errors else "",
        paint("warning", said(warnings, language)) if report.warnings else "",
    ]
    summary = phrase(
        "{found} in {files} with {replies}, {seconds:.2f} s",
        found=joined("{before}, {after}", filter(None, counts)) or paint("good", said(phrase("no problems"), language)),
        files=phrase("1 file") if report.files == 1 else phrase("{count:,} files", count=report.files),
        replies=phrase("1 reply") if report.replies == 1 else phrase("{count:,} replies", count=report.replies),
        seconds=report.seconds,
    )
    codes = ",".join(sorted({problem.code for problem in report.problems}))
    more = (language or spoken.get()) != "en" and codes
    pages = said(phrase("meaning and remedy: misaki validate --explain {codes}", codes=codes), language) if more else ""
    return said(summary, language) + (pages and f"\n{pages}")


def _block(problem: Problem, sources: Sources, paint: Painter, language: Language | None) -> Iterator[str]:
    head = paint("place", f"{problem.span}:")
    grave = phrase("error") if problem.severity == "error" else phrase("warning")
    message, hint = said(problem.message, language), _visible(said(problem.hint, language))
    yield f"{head} {paint(problem.severity, said(grave, language))} {problem.code} {_visible(message)}"
    line = sources.line(problem.span.file, problem.span.line)
    margin = f"{problem.span.line:>5} | "
    gutter = " " * (len(margin) - 2) + "| "
    if not line.strip():
        if hint:
            yield f"{paint('faint', gutter)}{hint}"
        return
    shown, before, under = _marked(line, problem.span)
    yield f"{paint('faint', margin)}{shown}"
    carets = paint(problem.severity, "^" * max(under, 1))
    yield f"{paint('faint', gutter)}{' ' * before}{carets} {hint}".rstrip()


def _marked(line: str, span: Span) -> tuple[str, int, int]:
    """The line as shown, the cells before the caret, and the cells under it."""
    begin = span.column - 1
    end = max(span.end_column - 1, begin) if span.end_line == span.line else len(line)
    # A line may be a whole file long, and what is far from the caret is cut off anyway.
    first = max(begin - NEAR, 0)
    line = covered(line[first : begin + NEAR])
    begin, end = begin - first, min(end - first, len(line))
    word = line[begin:end].rstrip() or line[begin:end]
    head, word, tail = (
        _visible(line[max(begin - WIDEST, 0) : begin]),
        _visible(word[:WIDEST]),
        line[begin + len(word) :],
    )
    tail = _visible(tail[:WIDEST])
    head = _last_cells(head, WIDEST // 2)
    word = _first_cells(word, WIDEST // 2)
    tail = _first_cells(tail, max(WIDEST - cell_len(head) - cell_len(word), 0))
    return (head + word + tail).rstrip(), cell_len(head), cell_len(word)


def _visible(text: str) -> str:
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char == "\t":
        return _TAB
    return char if char.isprintable() or unicodedata.category(char) == "Zs" else "\ufffd"


def _first_cells(text: str, cells: int) -> str:
    """As much of the beginning of `text` as fits into `cells`, with a sign where something is cut."""
    return text if cell_len(text) <= cells else set_cell_size(text, max(cells - 1, 0)).rstrip() + "…"


def _last_cells(text: str, cells: int) -> str:
    """As `_first_cells`, from the end."""
    return _first_cells(text[::-1], cells)[::-1]
