"""Runs editors' regular expressions by re2, in linear time, and bounds what compiling and running them may cost.

re2 is imported only when a pattern exists. Knows no triggers and no conditions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from engine.core.language import phrase

if TYPE_CHECKING:
    import re2

_MEANT = (
    (r"\(\?<?!", phrase("write the rest here, and what must not be there in `when: not matches(text, '…')`")),
    (r"\(\?<?=", phrase("write `(?:` instead of `{written}`")),
    (r"\(\?>", phrase("write `(?:` instead of `{written}`")),
    (r"[*+?}]\+", phrase("leave the last `+` out")),
    (r"\\[Zz]|\\'", phrase("write `$` instead of `{written}`")),
    (r"\\[hH]", phrase("write `\\s` instead of `{written}`")),
    (r"(?:^|[(|])[*+]|(?:^|\|)\?", phrase("write `.*` for any signs, or put `\\` before a sign that is meant")),
)
"""What a regex that cannot run holds, and what to write instead."""

MOST_STEPS = 5_000
"""Instructions of re2 in one pattern: `.{1,200}` has 1,800 of them. More would make a long text slow."""

MOST_STEPS_TOGETHER = 500_000
"""Instructions in all patterns of a set."""

MOST_LARGE_TOGETHER = 100_000
"""Instructions in those patterns of a set that have more than `_LARGE`: texts made to be slow take half a second."""

_LARGE = 500

_UNSUPPORTED = (
    (r"\(\?<?[=!]", phrase("lookaround")),
    (r"\\[1-9]|\(\?P=|\\k<", phrase("a backreference")),
    (r"\(\?>|[*+?}]\+", phrase("a possessive or atomic group")),
    (r"\(\?\(", phrase("a conditional group")),
)
_OF_RE2 = frozenset(
    {
        phrase("bad repetition operator"),
        phrase("invalid character class"),
        phrase("invalid character class range"),
        phrase("invalid escape sequence"),
        phrase("invalid named capture group"),
        phrase("invalid perl operator"),
        phrase("missing )"),
        phrase("missing ]"),
        phrase("no argument for repetition operator"),
        phrase("trailing \\"),
        phrase("unexpected )"),
    }
)
"""What re2 complains about."""
_TOO_LARGE = phrase("this regex takes too much to run: repeat less, such as `.*` or `.{1,20}` in place of `.{1,1000}`")


class Match(Protocol):
    """What a pattern found."""

    def groupdict(self) -> Mapping[str, str | None]: ...


class Pattern(Protocol):
    """A compiled pattern: `programsize` is the number of its instructions, `groupindex` has its named groups."""

    @property
    def programsize(self) -> int: ...
    @property
    def groupindex(self) -> Mapping[str, int]: ...
    def search(self, text: str, /) -> Match | None: ...


def compile_pattern(pattern: str, *, ignore_case: bool = True) -> Pattern:
    """Compile for searching.

    Raises:
        ValueError: with `regex_problem`'s words, where re2 cannot run the pattern, or not cheaply.
    """
    import re2

    try:
        compiled: Pattern = re2.compile(pattern, _options(ignore_case=ignore_case))
    except re2.error as error:
        raise ValueError(_explained(pattern, error)) from error
    if compiled.programsize > MOST_STEPS:
        raise ValueError(_TOO_LARGE)
    return compiled


class Budget:
    """Adds up what the patterns of a set take."""

    def __init__(self) -> None:
        self._all = self._large = 0

    def add(self, pattern: Pattern) -> bool:
        """Whether the set has room for one more; one that does not fit is not counted."""
        size = pattern.programsize
        large = size if size > _LARGE else 0
        if self._all + size > MOST_STEPS_TOGETHER or self._large + large > MOST_LARGE_TOGETHER:
            return False
        self._all, self._large = self._all + size, self._large + large
        return True


class PatternSet:
    """Patterns that are looked for all at once: one pass over a text finds the literals that each of them needs, and
    those that have theirs are tried. A text that nobody said before takes a quarter of what one automaton of all
    patterns takes to learn it.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises `ValueError` as `compile_pattern` does, for the first that cannot be compiled."""
        self._filters = tuple(_filters(tuple(patterns), 0))

    def found_in(self, text: str) -> Sequence[int]:
        """The places of the patterns that are found in `text`."""
        return [first + place for first, one in self._filters for place in one.Match(text) or ()]


def _filters(patterns: Sequence[str], first: int) -> Iterator[tuple[int, re2.Filter]]:
    """As few filters as have room for the patterns, each with the place of its first pattern."""
    import re2

    found, options = re2.Filter(), _options()
    for pattern in patterns:
        try:
            found.Add(pattern, options)
        except re2.error:
            compile_pattern(pattern)
            raise
    try:
        found.Compile()
    except re2.error:
        half = len(patterns) // 2
        if not half:
            raise
        yield from _filters(patterns[:half], first)
        yield from _filters(patterns[half:], first + half)
    else:
        yield first, found


def _options(*, ignore_case: bool = True) -> re2.Options:
    import re2

    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    return options


def named_groups(pattern: str) -> tuple[str, ...]:
    """The names of the groups in `pattern`; none where it cannot be compiled."""
    if "(?" not in pattern:
        return ()
    try:
        return tuple(compile_pattern(pattern).groupindex)
    except ValueError:
        return ()


def regex_problem(pattern: str) -> str | None:
    """Why the pattern cannot be used, as a message for the editor, or none."""
    try:
        compiled = compile_pattern(pattern)
    except ValueError as error:
        return str(error)
    if compiled.search("") is not None:
        return phrase("this regex matches the empty text, so it would answer everything")
    return None


def regex_hint(pattern: str) -> str:
    """What to write instead of what keeps `pattern` from running; empty where nothing tells."""
    for construct, hint in _MEANT:
        found = re.search(construct, pattern)
        if found:
            return phrase(hint, written=found[0])
    bare = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "", pattern)
    if "[" in bare:
        return phrase("close `[` with `]`, or write `\\[` for the sign")
    if bare.count("(") != bare.count(")"):
        return phrase("close each `(` with one `)`, or write `\\(` and `\\)` for the signs")
    return ""


def _explained(pattern: str, error: Exception) -> str:
    for construct, name in _UNSUPPORTED:
        if re.search(construct, pattern):
            return phrase(
                "{name} is not supported: regexes run in linear time (re2 syntax), write it as several triggers",
                name=name,
            )
    detail = error.args[0] if error.args else ""
    if isinstance(detail, bytes):
        detail = detail.decode("utf-8", "replace")
    if any(word in detail for word in ("too large", "invalid repetition size")):
        return _TOO_LARGE
    kind, _, part = detail.partition(": ")
    if kind in _OF_RE2:
        detail = phrase("{kind}: {part}", kind=phrase(kind), part=part) if part else phrase(kind)
    return phrase("not a valid regex (re2 syntax): {detail}", detail=detail)
