"""Finds slips of typing: lines that YAML misreads because one sign is wide, missing or left over.

The parser complains about them lines later, or not at all. This module looks at lines and knows no grammar.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from engine.core.language import phrase
from engine.core.node import Node, scalars
from engine.core.source import Problem, Span
from engine.pipeline.reading.files import at, lines, problem, shortened
from engine.pipeline.reading.indentation import FAR, odd_one

MOST_COMMENTS = 100
"""Comments that are told of in one file."""


class _Slip(NamedTuple):
    """`message` and `hint` may name the groups of `pattern`; its group `sign` is where the caret stands."""

    pattern: str
    message: str
    hint: str
    code: str = "P101"


WIDE = "\u3000\xa0\u2002-\u200b\u202f\u205f"
"""Blanks other than a plain space, for a class of a regex."""

_WORD = "[A-Za-z_ａ-ｚＡ-Ｚ＿]+"
"""A key, be it typed in wide letters."""

DASHES = "－ー―–—−‐‑・•●"
"""What is typed for the `-` of a list."""

_KEYS = (
    "address|backend|contains|conversations|counterexamples|deadline|escalate_when|examples|expect|id|kind|locale|match"
    "|model|models|name|persona|pipeline|priority|prompt|regex|replies|reply|say|steps|text|threshold|timeout|timezone"
    "|turns|user|vars|version|weight|when"
)
"""Words that are keys wherever they stand alone at the beginning of a line."""
_FIRST_KEYS = "contains|id|kind|name|regex|text|user"
"""Those with which an item of a list begins."""

_ANYWHERE = (
    _Slip(
        rf"\s*(?:- +)?(?P<key>{_WORD})(?P<sign>：)",
        phrase("`：` after `{key}` is the wide colon of Japanese, which makes no key"),
        phrase("write `{key}: `"),
    ),
    _Slip(
        rf"\s*(?:- +)?(?P<key>{_WORD}):(?P<sign>[{WIDE}])",
        phrase("the space after `{key}:` is a wide one or a no-break space, which makes no key"),
        phrase("write `{key}: ` with a plain space"),
    ),
    _Slip(
        rf" *(?P<sign>[{WIDE}])[ {WIDE}]*(?:-\s|[A-Za-z_]+[:：](?:\s|$))",
        phrase("a wide space or a no-break space stands in the indentation"),
        phrase("indent with plain spaces"),
        "P102",
    ),
    _Slip(
        rf" *-(?P<sign>[{WIDE}])",
        phrase("the space after `-` is a wide one, which begins no item of a list"),
        phrase("write `- `: a hyphen and a plain space"),
    ),
)
"""What is wrong wherever it stands."""

_NEAR = (
    _Slip(
        rf" *(?P<sign>[{DASHES}]|[*+](?= ))",
        phrase("`{sign}` begins no item of a list"),
        phrase("write `- `: a hyphen and a space"),
    ),
    _Slip(r" *(?P<sign>//|/\*|<!--|＃|;|；)", phrase("`{sign}` begins no comment"), phrase("write `# `")),
    _Slip(r" *-(?P<sign>\t)", phrase("a tab stands after `-`"), phrase("write `- `: a hyphen and a space")),
    _Slip(
        r" *(?P<sign>-)(?=[^\s-])",
        phrase("a space is missing after `-`"),
        phrase("write `- `: a hyphen and a space"),
    ),
    _Slip(
        r" *(?:- +)?(?P<key>[A-Za-z_]+)(?P<sign>:)(?=[^\s/])",
        phrase("a space is missing after `{key}:`"),
        phrase("write `{key}: `"),
    ),
    _Slip(
        rf" *(?:- +)?(?P<key>{_KEYS}) *(?P<sign>[-=]>|[=＝;；,、])",
        phrase("`{sign}` after `{key}` makes no key"),
        phrase("write `{key}: `"),
    ),
    _Slip(
        rf" *(?P<sign>(?P<key>{_KEYS}))(?: *$| +[^\s:：])",
        phrase("the colon is missing after `{key}`"),
        phrase("write `{key}: `"),
    ),
    _Slip(
        rf" *- +(?P<sign>(?P<key>{_FIRST_KEYS})) +[^\s:：]",
        phrase("the colon is missing after `{key}`"),
        phrase("write `{key}: `"),
    ),
)
"""What may be right elsewhere, and is looked for only where the parser stumbles."""

_SWALLOWED = (
    _ANYWHERE[0],
    _Slip(
        rf" *(?P<sign>-[\s{WIDE}]|-(?=[^\s\d-])|[{DASHES}])",
        phrase("this line is read as a part of the text that begins on line {line}"),
        phrase("line it up with the items beside it, and begin the first one with `- `, too"),
        "P114",
    ),
    _Slip(r" *(?P<sign>＃)", phrase("`{sign}` begins no comment"), phrase("write `# `"), "P114"),
)
"""What looks like an item, a key or a comment, on the further lines of an unquoted text."""
MAY_SWALLOW = re.compile(rf" (?:-(?!\d)|[{DASHES}＃]|[A-Za-z_]+：)")
"""What an unquoted text of several lines holds where one of its lines was meant otherwise."""

_GLUED_COMMENT = re.compile(r"(?<=[^\s\"'\]}])[ \t]+#(?=[^\s#!])")


def near_slip(every: Sequence[str], span: Span, *, since: int) -> Problem | None:
    """The slip for which the parser stumbles at `span`, in a text that begins on line `since` of `every` line."""
    last = min(span.line, len(every))
    merged = next((number for number in range(1, last + 1) if every[number - 1].startswith("<" * 7 + " ")), None)
    if merged is not None:
        hint = phrase("keep one of them, and remove the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`")
        return problem("P101", phrase("a merge left two versions here"), at(span.file, merged, 1, 7), hint)
    return _nearest(every, span.file, range(last, since - 1, -1), (*_ANYWHERE, *_NEAR))


def far_slip(every: Sequence[str], span: Span) -> Problem | None:
    """The slip on a line before, for which the parser may stumble only at `span`: where nothing there explains it."""
    last = min(span.line, len(every))
    return _nearest(every, span.file, range(last, max(0, last - FAR), -1), _ANYWHERE)


def _nearest(every: Sequence[str], file: str, numbers: Iterable[int], slips: Sequence[_Slip]) -> Problem | None:
    for number in numbers:
        for one in slips:
            found = re.match(one.pattern, every[number - 1])
            if found:
                return _problem(one, found, file, number)
    return None


def _problem(one: _Slip, found: re.Match[str], file: str, number: int, **more: int) -> Problem:
    words = {**found.groupdict(), **more}
    place = at(file, number, found.start("sign") + 1, max(1, len(found["sign"].rstrip())))
    meant = words | {"key": unicodedata.normalize("NFKC", str(words.get("key", "")))}
    return problem(one.code, phrase(one.message, **words), place, phrase(one.hint, **meant))


def swallowed(every: Sequence[str], span: Span) -> Problem | None:
    """The line around an unquoted text of several lines at `span` that was meant as an item, a key or a comment."""
    unlisted = _unlisted(every, span)
    for number in range(span.line + 1, span.end_line + 1) if unlisted is None else ():
        for one in _SWALLOWED:
            found = re.match(one.pattern, every[number - 1])
            if found:
                odd = odd_one(every, number, span.file) if one.code == "P114" else None
                return odd or _problem(one, found, span.file, number, line=span.line)
    return unlisted


def _unlisted(every: Sequence[str], span: Span) -> Problem | None:
    """The first line, where the next is an item and this one lacks no more than a right `- `."""
    line, following = every[span.line - 1], every[span.line]
    before, first = line[: span.column - 1], line[span.column - 1 :]
    if before.strip() or not re.match(rf" *(?:-[\s{WIDE}]|-(?=[^\s\d-])|[{DASHES}])", following):
        return None
    found = _nearest(every, span.file, [span.line], (*_ANYWHERE, *_NEAR[:1], *_NEAR[2:4]))
    if found is None and len(before) == len(following) - len(following.lstrip(" ")):
        message = phrase("this line is no item of the list, as those below it are")
        place = at(span.file, span.line, span.column, len(first))
        found = problem("P101", message, place, phrase("begin it with `- `"))
    return found


def unlisted_key(every: Sequence[str], span: Span) -> Problem | None:
    """An item whose `- ` is not right, so that its text up to a colon was read as the key at `span`."""
    line = every[span.line - 1]
    if line[span.column - 1 : span.column] not in f"-{DASHES}" or line[: span.column - 1].strip():
        return None
    return _nearest(every, span.file, [span.line], (_ANYWHERE[3], _NEAR[0], _NEAR[3]))


def glued_comments(text: str, root: Node) -> Iterator[Problem]:
    """Texts without quotes that end at ` #` where a word follows at once, as in `今夜は #カラオケ`: meant, perhaps."""
    if not _GLUED_COMMENT.search(text):
        return
    every = lines(text)
    for node in scalars(root):
        line = every[node.span.end_line - 1]
        found = _GLUED_COMMENT.match(line, node.span.end_column - 1)
        if (isinstance(node.value, str) or not node.source) and found:
            comment = shortened(line[found.end() - 1 :])
            message = phrase("`{comment}` is a comment, and no part of the text before it", comment=comment)
            hint = phrase("put the whole text in quotes, or write a space after `#`")
            place = at(node.span.file, node.span.end_line, found.end())
            yield Problem(code="P115", message=message, span=place, severity="warning", hint=hint)
