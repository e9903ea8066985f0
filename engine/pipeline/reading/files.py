"""Reads source files as text: size, encoding and characters, their lines; which of them a pipeline may name, and
whether they have changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from engine.core.language import phrase
from engine.core.source import Problem, Span
from engine.text.cleaning import covered

MAX_BYTES = 4_000_000
"""Ten thousand replies in one file take about three million."""

# YAML counts these as line breaks; a source line is shown by the same rule.
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_OTHER_ENCODINGS = {"cp932": "Shift_JIS", "euc_jp": "EUC-JP"}
_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_REASONS: Mapping[type, str] = {
    FileNotFoundError: phrase("it does not exist"),
    IsADirectoryError: phrase("it is a folder"),
    PermissionError: phrase("this user may not read it"),
}


def read_text(path: Path, name: str) -> tuple[str | None, list[Problem]]:
    """The text of a UTF-8 file, or the problem that it cannot be had; `name` is what problems call the file.

    Pipes and devices are not read: one may never end, another is changed by reading.
    """
    try:
        # What waits for a writer is opened all the same, and refused.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            if not S_ISREG(os.fstat(file.fileno()).st_mode):
                reason = phrase("it is a pipe or a device")
                return None, [_unreadable(name, reason, phrase("write a file of plain text"))]
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return None, [_unreadable(name, _REASONS.get(type(error)) or (error.strerror or "unknown").lower())]
    except ValueError:
        return None, [_unreadable(name, phrase("its name is not a file name"))]
    return decode(data, name)


def _unreadable(name: str, reason: str, hint: str = "") -> Problem:
    return problem("P104", phrase("file cannot be read: {reason}", reason=reason), at(name, 1, 1), hint)


def decode(data: bytes, name: str) -> tuple[str | None, list[Problem]]:
    """`data` as text without its byte-order mark."""
    if len(data) > MAX_BYTES:
        message = phrase("file is larger than {most} MB", most=MAX_BYTES // 1000000)
        return None, [problem("P109", message, at(name, 1, 1), phrase("split it into several files"))]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [_wrong_encoding(data, error, name)]
    found = UNPRINTABLE.search(text)
    if found:
        message = phrase("character U+{number:04X} is not allowed in a text file", number=ord(found.group()))
        place = at(name, *position(text, found.start()))
        return None, [problem("P106", message, place, phrase("delete it; editors often do not show it"))]
    return text, []


def lines(text: str) -> list[str]:
    """`text` in lines as YAML counts them."""
    return _LINE_BREAK.split(text)


def shortened(text: str, most: int = 40) -> str:
    """The beginning of `text` for a message, without what looks like a secret."""
    line = covered(text[: most * 10].strip()).split("\n")[0]
    return line if line == covered(text) and len(line) <= most else line[:most] + "…"


def at(name: str, line: int, column: int, length: int = 1) -> Span:
    """A span on one line."""
    return Span(file=name, line=line, column=column, end_line=line, end_column=column + length)


def line_starts(text: str) -> list[int]:
    """The offset at which each line begins, lines as in `lines`."""
    return [0, *(found.end() for found in _LINE_BREAK.finditer(text))]


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of the character at `offset`."""
    before = lines(text[:offset])
    return len(before), len(before[-1]) + 1


def problem(code: str, message: str, span: Span, hint: str = "") -> Problem:
    return Problem(code=code, message=message, span=span, hint=hint)


def _wrong_encoding(data: bytes, error: UnicodeDecodeError, name: str) -> Problem:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return problem("P105", phrase("file is UTF-16, not UTF-8"), at(name, 1, 1), phrase("save it as UTF-8"))
    line, column = position(data[: error.start].decode("utf-8-sig", "replace"), len(data))
    guess = _encoding(data)
    message = phrase("file is not UTF-8: byte {byte:#04x} is not part of a character", byte=data[error.start])
    hint = phrase("it looks like {encoding}: save it as UTF-8", encoding=guess) if guess else phrase("save it as UTF-8")
    return problem("P105", message, at(name, line, column), hint)


def _encoding(data: bytes) -> str | None:
    """Guesses the encoding of bytes that are no UTF-8: the one in which most of them are Japanese."""
    if b"\0" in data:
        return phrase("UTF-16, or no text at all")
    likely: dict[str, int] = {}
    for codec, label in _OTHER_ENCODINGS.items():
        with suppress(UnicodeDecodeError):
            likely[label] = len(_JAPANESE.findall(data.decode(codec)))
    return max(likely, key=lambda label: likely[label], default=None)


PIPELINES = Path("pipelines")
"""The folder in which pipelines are looked for that somebody calls by their name alone."""

PROMPT_ENDINGS = (".j2", ".jinja", ".jinja2", ".md", ".txt")


def project_of(pipeline: Path) -> Path:
    """The folder of the file `pipeline`; where that is called `pipelines`, the one around it."""
    folder = pipeline.absolute().parent.resolve()
    return folder.parent if folder.name == PIPELINES.name else folder


def is_outside(file: Path, project: Path) -> bool:
    """Tells whether `file`, its links followed, stands outside of the folder `project`."""
    try:
        return not file.resolve().is_relative_to(project)
    except (OSError, RuntimeError, ValueError):
        # Loops of links, or a name that is none: reading it tells more.
        return False


def inside(files: Iterable[Path], folder: Path) -> Iterator[Path]:
    """Those of the `files` found below `folder` whose links do not lead out of the project in which it stands: nothing
    of another file is read, nor shown in a report.
    """
    here = folder.absolute().resolve()
    project = next((one for one in (here, *here.parents) if (one / PIPELINES).is_dir()), here)
    return (file for file in files if not is_outside(file, project))


def move_into(pipeline: Path) -> str:
    """Advises where to move a file that is outside."""
    folder = pipeline.parent
    if folder.name == PIPELINES.name:
        return phrase("move it into the folder that holds `{name}`, or below", name=PIPELINES.name)
    return phrase(
        "move it below `{folder}`, or the pipeline into a folder `{name}` beside it",
        folder=folder.as_posix(),
        name=PIPELINES.name,
    )


def states(files: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Time and size of each of `files` that is there: what changes when one is saved, added or removed."""
    found = {}
    for file in files:
        with suppress(OSError):
            status = file.stat()
            found[file] = (status.st_mtime_ns, status.st_size)
    return found


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
        """Tells whether the scalar at `span` is written after `|` or `>`, so that its text begins on the next line."""
        return self.line(span.file, span.line)[span.column - 1 : span.column] in ("|", ">")

    def find(self, span: Span, word: str, *, line: int = 1) -> Span:
        """Finds `word` as a whole word inside `span`, from its `line`-th line of text on; else the line's start.

        Words are looked for in what the editor wrote; where an escape hides the word, the span is the answer.
        """
        first = span.line + (line if self.is_block(span) else line - 1)
        # Signs may touch what stands beside them, words may not.
        before = r"(?<![\w.])" if re.match(r"\w", word) else ""
        after = r"(?!\w)" if re.search(r"\w\Z", word) else ""
        pattern = re.compile(f"{before}{re.escape(word)}{after}" if word else r"\S")
        for number in range(max(first, span.line), span.end_line + 1):
            start = span.column - 1 if number == span.line else 0
            found = pattern.search(self.line(span.file, number), start)
            if found and (number < span.end_line or found.start() < span.end_column - 1):
                return at(span.file, number, found.start() + 1, len(word) or 1)
        return span
