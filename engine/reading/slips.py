"""Lines that YAML reads otherwise than they were meant, for one sign that is wide, missing or left over.

The parser complains about them lines later, or not at all. This module looks at lines and knows no grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from engine.model.source import Problem, Span
from engine.reading.node import Node, scalars
from engine.reading.text import at, lines, problem, shortened

FAR = 50
"""Lines before the parser's complaint in which its reason is looked for: all that follows a key may be one text."""

MOST_COMMENTS = 100
"""Comments that are told of in one file."""


class _Slip(NamedTuple):
    """`message` and `hint` may name the groups of `pattern`; its group `sign` is where the caret stands."""

    pattern: re.Pattern[str]
    message: str
    hint: str
    code: str = "P101"


_ANYWHERE = (
    _Slip(
        re.compile(r"\s*(?:- +)?(?P<key>[A-Za-z_]+)(?P<sign>：)"),
        "`：` after `{key}` is the wide colon of Japanese, which makes no key",
        "write `{key}: `",
    ),
    _Slip(
        re.compile(r" *(?P<sign>[\u3000\xa0])[ \u3000\xa0]*(?:-\s|[A-Za-z_]+[:：](?:\s|$))"),
        "a wide space or a no-break space stands in the indentation",
        "indent with plain spaces",
        "P102",
    ),
    _Slip(
        re.compile(r" *-(?P<sign>[\u3000\xa0])"),
        "the space after `-` is a wide one, which begins no item of a list",
        "write `- `: a hyphen and a plain space",
    ),
)
"""What is wrong wherever it stands."""

_NEAR = (
    _Slip(
        re.compile(r" *(?P<sign>[－ー―–—・•●])"),
        "`{sign}` begins no item of a list",
        "write `- `: a hyphen and a space",
    ),
    _Slip(
        re.compile(r" *(?P<sign>//|/\*|<!--)"),
        "`{sign}` begins no comment",
        "write `# `",
    ),
    _Slip(
        re.compile(r" *(?P<sign>-)(?![\s-])"),
        "a space is missing after `-`",
        "write `- `: a hyphen and a space",
    ),
    _Slip(
        re.compile(r" *(?:- +)?(?P<key>[A-Za-z_]+)(?P<sign>:)(?![\s/])"),
        "a space is missing after `{key}:`",
        "write `{key}: `",
    ),
)
"""What may be right elsewhere, and is looked for only where the parser stumbles."""

_GLUED_COMMENT = re.compile(r"(?<=[^\s\"'\]}])[ \t]+#(?=[^\s#!])")
_CONFLICT = re.compile(r"<{7} ")
_ITEM = re.compile(r" *(?P<sign>-) ")


def near_slip(every: Sequence[str], span: Span, *, since: int) -> Problem | None:
    """The slip for which the parser stumbles at `span`, in a text that begins on line `since` of `every` line."""
    last = min(span.line, len(every))
    merged = next((number for number in range(1, last + 1) if _CONFLICT.match(every[number - 1])), None)
    if merged is not None:
        hint = "keep one of them, and remove the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`"
        return problem("P101", "a merge left two versions here", at(span.file, merged, 1, 7), hint)
    return _nearest(every, span.file, range(last, since - 1, -1), (*_ANYWHERE, *_NEAR))


def far_slip(every: Sequence[str], span: Span) -> Problem | None:
    """The slip on a line before, for which the parser may stumble only at `span`: where nothing there explains it."""
    last = min(span.line, len(every))
    return _nearest(every, span.file, range(last, max(0, last - FAR), -1), _ANYWHERE)


def _nearest(every: Sequence[str], file: str, numbers: Iterable[int], slips: Sequence[_Slip]) -> Problem | None:
    for number in numbers:
        for one in slips:
            found = one.pattern.match(every[number - 1])
            if found:
                place = at(file, number, found.start("sign") + 1)
                words = found.groupdict()
                return problem(one.code, one.message.format(**words), place, one.hint.format(**words))
    return None


def swallowed_item(every: Sequence[str], span: Span) -> Span | None:
    """The first sign, on the lines of an unquoted text at `span` from its second on, that looks like a list's item."""
    for number in range(span.line + 1, span.end_line + 1):
        found = _ITEM.match(every[number - 1])
        if found:
            return at(span.file, number, found.start("sign") + 1)
    return None


def glued_comments(text: str, root: Node) -> Iterator[Problem]:
    """Texts without quotes that end at ` #` where a word follows at once, as in `今夜は #カラオケ`: meant, perhaps."""
    return islice(_glued_comments(text, root), MOST_COMMENTS)


def _glued_comments(text: str, root: Node) -> Iterator[Problem]:
    if not _GLUED_COMMENT.search(text):
        return
    every = lines(text)
    for node in scalars(root):
        line = every[node.span.end_line - 1]
        found = _GLUED_COMMENT.match(line, node.span.end_column - 1)
        if isinstance(node.value, str) and found:
            message = f"`{shortened(line[found.end() - 1 :])}` is a comment, and no part of the text before it"
            hint = "put the whole text in quotes, or write a space after `#`"
            place = at(node.span.file, node.span.end_line, found.end())
            yield Problem(code="P115", message=message, span=place, severity="warning", hint=hint)
