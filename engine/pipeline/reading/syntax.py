"""Explains the errors of the YAML parser to people who do not know its grammar."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from yaml import YAMLError

from engine.core.language import phrase
from engine.core.source import Problem, Span
from engine.pipeline.reading.files import at, lines, problem
from engine.pipeline.reading.indentation import aligned, aligned_item, odd_one
from engine.pipeline.reading.slips import far_slip, near_slip

_MESSAGES: Mapping[str, tuple[str, str]] = {
    "mapping values are not allowed": (
        phrase("`:` stands where no key can be"),
        phrase("put a text that holds `: ` in quotes, or check that the line above is complete"),
    ),
    "found unexpected end of stream|found unexpected document indicator": (
        phrase("a quotation mark is opened and never closed"),
        phrase("close it"),
    ),
    "while parsing a flow sequence": (
        phrase("a list opened with `[` is not closed or lacks a comma"),
        phrase("check `,` and `]`"),
    ),
    "while parsing a flow mapping": (
        phrase("keys opened with `{` are not closed or lack a comma"),
        phrase("check `,` and `}`"),
    ),
    "could not find expected ':'": (
        phrase("this line is neither `key: value` nor an item of a list"),
        phrase("begin it with `- `, or write a space after the colon of its key"),
    ),
    "did not find expected node content": (
        phrase("a `,` stands where a value is expected"),
        phrase("remove it, or write the value"),
    ),
    "did not find expected '-' indicator": (
        phrase("this line is not part of the list above it"),
        phrase("begin it with `- `, or line it up with the keys above the list"),
    ),
    "did not find expected key": (
        phrase("this line does not fit the lines above it"),
        phrase("line it up with them, or put the text in quotes when it holds quotation marks"),
    ),
    "undefined alias": (
        phrase("`*` refers to a name that no `&` defines"),
        phrase("put a text that begins with `*` in quotes"),
    ),
    "while scanning an alias": (
        phrase("`*` begins a reference, and no name follows"),
        phrase("put a text that begins with `*` in quotes"),
    ),
    "while scanning an anchor": (
        phrase("`&` begins a name for later reference, and no name follows"),
        phrase("put a text that begins with `&` in quotes"),
    ),
    "while parsing a tag|while scanning a tag": (
        phrase("`!` begins a tag, and none follows"),
        phrase("put a text that begins with `!` in quotes"),
    ),
    "unknown escape character": (
        phrase("`\\` in double quotes begins an escape that does not exist"),
        phrase("write `\\\\`, or use single quotes"),
    ),
    "while parsing a quoted scalar": (
        phrase("an escape that begins with `\\` is broken"),
        phrase("write `\\\\`, or use single quotes"),
    ),
    "expected comment or line break": (
        phrase("a text that begins with `|` or `>` is not in quotes"),
        phrase("put it in quotes, or let it begin on the next line"),
    ),
    "while scanning a block scalar": (
        phrase("the text after `|` or `>` is broken"),
        phrase("indent all its lines alike"),
    ),
    "block sequence entries are not allowed": (
        phrase("`- ` stands where no list can be"),
        phrase("put the list on its own lines"),
    ),
    "found duplicate": (phrase("something is said twice that may stand once"), phrase("remove the second")),
    "incompatible YAML document": (
        phrase("the file asks for another YAML version"),
        phrase("remove the line that begins with `%`"),
    ),
    "while scanning a directive": (phrase("a line that begins with `%` is not understood"), phrase("remove it")),
    "did not find expected <document start>": (
        phrase("the file goes on after its end"),
        phrase("check the indentation of this line"),
    ),
}
"""What the problem or context of the parser holds, by patterns, with our message and hint; the first is used."""
_ANY: tuple[str, str] = (
    phrase("the file is not valid YAML here"),
    phrase("check quotation marks, colons and indentation"),
)


def syntax_problem(error: YAMLError, text: str, name: str, last: Any) -> Problem:
    """The problem for an error of the parser, at the place that the editor should look at.

    `last` is the event of the last scalar before the error, where there was one: it may have swallowed too much.
    """
    said = f"{getattr(error, 'context', None) or ''}\n{getattr(error, 'problem', None) or ''}"
    span = _span(error, name, opened=any(words in said for words in _AT_THEIR_BEGINNING))
    every = lines(text)
    found = (
        near_slip(every, span, since=_first_line(last, span))
        or _closed_too_late(last, span)
        or _swallowed(said, every, span, last)
        or _special(said, every, span)
        or far_slip(every, span)
    )
    if found:
        return found
    message, hint = next((words for part, words in _MESSAGES.items() if re.search(part, said)), _ANY)
    if "did not find expected" in said and span.line <= len(every):
        hint = aligned(every, span.line) or hint
        odd = None if "flow" in said else odd_one(every, span.line, span.file)
        return odd or problem("P101", message, span, hint)
    return problem("P101", message, span, hint)


_AT_THEIR_BEGINNING = ("quoted scalar", "while parsing a flow sequence", "while parsing a flow mapping", "a simple key")
"""What the parser complains about at its end, and what the editor should look at where it begins."""


def _span(error: YAMLError, name: str, *, opened: bool) -> Span:
    mark: Any = getattr(error, "problem_mark", None)
    start: Any = getattr(error, "context_mark", None)
    mark = (start or mark) if opened else (mark or start)
    return at(name, mark.line + 1, mark.column + 1) if mark else at(name, 1, 1)


def _line(every: Sequence[str], span: Span) -> str:
    return every[span.line - 1] if span.line <= len(every) else ""


def _first_line(last: Any, span: Span) -> int:
    """The line on which the text begins that the error stands in or behind."""
    return last.start_mark.line + 1 if last is not None and last.end_mark.line + 1 == span.line else span.line


def _closed_too_late(last: Any, span: Span) -> Problem | None:
    """A quotation mark that was forgotten, so that the next one, lines below, closes the text."""
    if last is None or last.style not in ("'", '"') or _first_line(last, span) == span.line:
        return None
    place = at(span.file, last.start_mark.line + 1, last.start_mark.column + 1)
    message = phrase("a quotation mark is opened here and closed only on line {line}", line=span.line)
    return problem("P101", message, place, phrase("close it where the text ends"))


def _swallowed(said: str, every: Sequence[str], span: Span, last: Any) -> Problem | None:
    """A key that is indented so far that it was read as a part of the text above it."""
    if "mapping values are not allowed" not in said or _first_line(last, span) == span.line:
        return None
    line, first = _line(every, span), last.start_mark.line
    if not every[first][: last.start_mark.column].strip():
        # A text that stands alone, where a key should: its colon is missing.
        word = every[first].split()[0]
        place = at(span.file, first + 1, last.start_mark.column + 1, len(word))
        message = phrase("`{word}` is no key without a colon", word=word)
        return problem("P101", message, place, phrase("write `{key}: `", key=word))
    place = at(span.file, span.line, len(line) - len(line.lstrip()) + 1)
    message = phrase("this line is read as a part of the text above it")
    hint = phrase("line it up with the keys above, or put a text that holds `: ` in quotes")
    odd = odd_one(every, span.line, span.file)
    return odd or problem("P101", message, place, aligned(every, span.line) or hint)


def _special(said: str, every: Sequence[str], span: Span) -> Problem | None:
    """Mistakes that the character at the place tells better than the parser."""
    line = _line(every, span)
    here, before = line[span.column - 1 :], line[: span.column - 1].rstrip()
    if "\t" in line[: len(line) - len(line.lstrip())] and ("token" in said or "tab" in said or "indent" in said):
        tab = at(span.file, span.line, line.index("\t") + 1)
        return problem("P102", phrase("a tab stands in the indentation"), tab, phrase("indent with spaces"))
    return (
        condition_slip(line, span)
        or _braces(said, line, here, span)
        or _wide_close(said, line, span)
        or _sign(said, line, span)
        or (_unexpected(before, here, every, span) if "did not find expected" in said and here.strip() else None)
    )


IN_BRACES = re.compile(r"\s*\{[{%][-+]?\s*(?:if\s+)?(?P<bare>.*?)\s*[-+]?[%}]\}\s*", re.DOTALL)
"""A condition that is written as in a template."""


def condition_slip(line: str, span: Span) -> Problem | None:
    """A condition that is written as in a template, or as a key with a value."""
    found = re.match(r"(?P<key>\s*(?:- +)?\{?\s*(?:when|if):\s+)(?P<said>.*\S)", line)
    if found is None:
        return None
    place = at(span.file, span.line, found.start("said") + 1, len(found["said"]))
    said = found["said"]
    message = hint = ""
    if braces := IN_BRACES.fullmatch(said):
        message = phrase("a condition stands alone, without braces")
        hint = phrase("write `{meant}`", meant=braces["bare"])
    elif denied := re.fullmatch(r"!\s*(?P<name>[\w.]+)", said):
        message = phrase("`!` denies nothing in a condition")
        hint = phrase("write `not {name}`", name=denied["name"])
    elif compared := re.fullmatch(r"(?P<name>[\w.]+)\s*:\s*(?P<value>[\w'\"]+)", said):
        message = phrase("`:` compares nothing in a condition")
        hint = phrase("write `{name} == {value}`", name=compared["name"], value=compared["value"])
    return problem("P101", message, place, hint) if message else None


def _braces(said: str, line: str, here: str, span: Span) -> Problem | None:
    if here.startswith("{{") or re.search(r"(^|[-:,\[]\s*)\{\{", line):
        place = at(span.file, span.line, line.index("{{") + 1, 2)
        hint = phrase("write {text}", text=in_quotes(line[line.index("{{") :]))
        return problem("P101", phrase("a text that begins with `{{` is not in quotes"), place, hint)
    reference = re.search(r"[:,\[] *(\$\{)", line)
    if reference and "while parsing a flow" in said:
        place = at(span.file, span.line, reference.start(1) + 1, 2)
        message = phrase("`${…}` inside of `{ }` or `[ ]` is not in quotes")
        return problem("P101", message, place, phrase('write "${…}"'))
    return None


def _wide_close(said: str, line: str, span: Span) -> Problem | None:
    """A wide sign that was meant to close what a narrow one has opened."""
    if "while parsing a flow" not in said and "quoted scalar" not in said:
        return None
    for opened, pattern, closing in (('"', '"[^"]*([”＂“])', '"'), ("'", "'[^']*([’＇‘])", "'")):
        wide = re.search(pattern, line)
        if wide:
            place = at(span.file, span.line, wide.start(1) + 1)
            message = phrase("`{sign}` does not close what `{opened}` has opened", sign=wide[1], opened=opened)
            return problem("P101", message, place, phrase("write `{meant}`", meant=closing))
    wide = re.search(r"[［｛】］｝、，；]", line)
    if wide is None:
        return None
    meant = unicodedata.normalize("NFKC", wide[0]).translate(str.maketrans("、】;", ",],"))
    place = at(span.file, span.line, wide.start() + 1)
    hint = phrase("write `, `") if meant == "," else phrase("write `{meant}`", meant=meant)
    message = phrase("`{sign}` is a wide sign, which no list and no `{{{{ }}}}` knows", sign=wide[0])
    return problem("P101", message, place, hint)


_SIGNS = tuple("@`%&*!|>")
_BEGINNINGS = ("cannot start any token", "scanning an alias", "scanning an anchor", "a tag", "comment or line break")


def _sign(said: str, line: str, span: Span) -> Problem | None:
    """A text whose first character has a meaning of its own in YAML."""
    if not any(words in said for words in _BEGINNINGS):
        return None
    begin = next((at for at in (span.column - 2, span.column - 1) if at >= 0 and line[at : at + 1] in _SIGNS), None)
    if begin is None:
        return None
    message = phrase("a text cannot begin with `{sign}` unless it is in quotes", sign=line[begin])
    hint = phrase("write {text}", text=in_quotes(line[begin:]))
    return problem("P101", message, at(span.file, span.line, begin + 1), hint)


def in_quotes(rest: str) -> str:
    """`rest` of a line as a text in quotes, without a comment and without what closes the list around it."""
    text = re.split(r"\s#", rest)[0].rstrip()
    if text.endswith(("]", "}")) and text.count("[") + text.count("{") < text.count("]") + text.count("}"):
        text = text[:-1].rstrip()
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def _unexpected(before: str, here: str, every: Sequence[str], span: Span) -> Problem | None:
    """Text that goes on where a key or an item should begin; `before` is the line up to it, `here` the rest."""
    if before.endswith(("'", '"')):
        other = "'" if before[-1] == '"' else '"'
        hint = phrase("put `{mark}` before and after all of it", mark=other)
        return problem("P101", phrase("text goes on after the closing quotation mark"), span, hint)
    if before.endswith(("]", "}")) and here[0] not in "]}":
        hint = phrase("put a text that begins with `{sign}` in quotes", sign="[" if before[-1] == "]" else "{")
        return problem("P101", phrase("text goes on after `{sign}`", sign=before[-1]), span, hint)
    if here.startswith("- ") and not before:
        message = phrase("this item is not in line with the list above it")
        advice = aligned_item(every, span.line) or phrase("line its `-` up with the others")
        return odd_one(every, span.line, span.file) or problem("P101", message, span, advice)
    return None
