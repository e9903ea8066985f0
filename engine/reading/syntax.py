"""What the YAML parser complains about, in words for people who do not know its grammar."""

from __future__ import annotations

import re
from typing import Any

from yaml import YAMLError

from engine.model.source import Problem, Span
from engine.reading.text import at, lines, problem

# (what the parser's problem or context says, our message, our hint); the first that matches is used.
_MESSAGES: tuple[tuple[str, str, str], ...] = (
    (
        "mapping values are not allowed",
        "`:` stands where no key can be",
        "put a text that holds `: ` in quotes, or check that the line above is complete",
    ),
    ("found unexpected end of stream", "a quotation mark is opened and never closed", "close it"),
    ("found unexpected document indicator", "a quotation mark is opened and never closed", "close it"),
    ("while parsing a flow sequence", "a list opened with `[` is not closed or lacks a comma", "check `,` and `]`"),
    ("while parsing a flow mapping", "keys opened with `{` are not closed or lack a comma", "check `,` and `}`"),
    ("could not find expected ':'", "a key is not followed by `:`", "write `key: value`, with a space after the colon"),
    (
        "did not find expected '-' indicator",
        "this line is not part of the list above it",
        "begin it with `- `, or line it up with the keys above the list",
    ),
    (
        "did not find expected key",
        "this line does not fit the lines above it",
        "line it up with them, or put the text in quotes when it holds quotation marks",
    ),
    ("undefined alias", "`*` refers to a name that no `&` defines", "put a text that begins with `*` in quotes"),
    (
        "while scanning an alias",
        "`*` begins a reference, and no name follows",
        "put a text that begins with `*` in quotes",
    ),
    (
        "while scanning an anchor",
        "`&` begins a name for later reference, and no name follows",
        "put a text that begins with `&` in quotes",
    ),
    ("while parsing a tag", "`!` begins a tag, and none follows", "put a text that begins with `!` in quotes"),
    ("while scanning a tag", "`!` begins a tag, and none follows", "put a text that begins with `!` in quotes"),
    ("unknown escape character", "`\\` in double quotes begins an escape that does not exist", "write `\\\\`"),
    (
        "while parsing a quoted scalar",
        "an escape that begins with `\\` is broken",
        "write `\\\\`, or use single quotes",
    ),
    ("while scanning a block scalar", "the text after `|` or `>` is broken", "indent all its lines alike"),
    ("block sequence entries are not allowed", "`- ` stands where no list can be", "put the list on its own lines"),
    ("found duplicate", "something is said twice that may stand once", "remove the second"),
    ("incompatible YAML document", "the file asks for another YAML version", "remove the line that begins with `%`"),
    ("while scanning a directive", "a line that begins with `%` is not understood", "remove it"),
    ("did not find expected <document start>", "the file goes on after its end", "check the indentation of this line"),
)
_ANY = ("the file is not valid YAML here", "check quotation marks, colons and indentation")


def syntax_problem(error: YAMLError, text: str, name: str) -> Problem:
    """The problem for an error of the parser, at the place that the editor should look at."""
    said = f"{getattr(error, 'context', None) or ''}\n{getattr(error, 'problem', None) or ''}"
    span = _span(error, name, opened="quoted scalar" in said or "while parsing a flow" in said)
    special = _wide_colon(text, span) or _special(said, _line(text, span), span)
    if special:
        return special
    message, hint = next(((message, hint) for part, message, hint in _MESSAGES if part in said), _ANY)
    return problem("P101", message, span, hint)


def _span(error: YAMLError, name: str, *, opened: bool) -> Span:
    mark: Any = getattr(error, "problem_mark", None)
    start: Any = getattr(error, "context_mark", None)
    mark = (start or mark) if opened else (mark or start)
    return at(name, mark.line + 1, mark.column + 1) if mark else at(name, 1, 1)


def _line(text: str, span: Span) -> str:
    every = lines(text)
    return every[span.line - 1] if span.line <= len(every) else ""


_FAR = 50
"""Lines before the parser's complaint in which its reason is looked for: all that follows a key may be one text."""

_WIDE_COLON = re.compile(r"\s*(?:- +)?([a-z_]+)：")


def _wide_colon(text: str, span: Span) -> Problem | None:
    """A key with the colon of a Japanese keyboard, at the line that the parser trips over or not far before it."""
    every = lines(text)
    for number in range(min(span.line, len(every)), max(0, span.line - _FAR), -1):
        found = _WIDE_COLON.match(every[number - 1])
        if found:
            message = f"`：` after `{found[1]}` is the wide colon of Japanese, which makes no key"
            return problem("P101", message, at(span.file, number, found.end(), 1), f"write `{found[1]}: `")
    return None


def _special(said: str, line: str, span: Span) -> Problem | None:
    """Mistakes that the character at the place tells better than the parser."""
    here = line[span.column - 1 :]
    if "\t" in line[: len(line) - len(line.lstrip())] and ("token" in said or "tab" in said or "indent" in said):
        tab = at(span.file, span.line, line.index("\t") + 1)
        return problem("P102", "a tab stands in the indentation", tab, "indent with spaces")
    if here.startswith("{{") or re.search(r"(^|[-:,\[]\s*)\{\{", line):
        place = at(span.file, span.line, line.index("{{") + 1, 2)
        return problem("P101", "a text that begins with `{{` is not in quotes", place, 'write "{{ … }} …"')
    if line[: span.column - 1].rstrip().endswith(("'", '"')) and here.strip() and "did not find expected" in said:
        hint = "put quotation marks around all of it, and write 「」 for those inside"
        return problem("P101", "text goes on after the closing quotation mark", span, hint)
    if here[:1] in ("@", "`", "%") and "cannot start any token" in said:
        message = f"a text cannot begin with `{here[0]}` unless it is in quotes"
        return problem("P101", message, span, f'write "{here[0]}…"')
    return None
