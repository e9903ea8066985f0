"""Editors' regular expressions, run in linear time by re2 and imported only when one exists. Knows no triggers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import re2

_SET_MEMORY = 64 * 2**20
"""Bytes that the automaton of all patterns may take; what a short text needs of it is far less."""

_MEANT = (
    (re.compile(r"\(\?<?!"), "write the rest here, and what must not be there in `when: not matches(text, '…')`"),
    (re.compile(r"\(\?<?="), "write `(?:` instead of `{0}`"),
    (re.compile(r"\(\?>"), "write `(?:` instead of `{0}`"),
    (re.compile(r"[*+?}]\+"), "leave the last `+` out"),
    (re.compile(r"\\[Zz]|\\'"), "write `$` instead of `{0}`"),
    (re.compile(r"\\[hH]"), "write `\\s` instead of `{0}`"),
    (re.compile(r"(?:^|[(|])[*+]|(?:^|\|)\?"), "write `.*` for any signs, or put `\\` before a sign that is meant"),
)
"""What a regex that cannot run holds, and what to write instead."""

_UNSUPPORTED = (
    (re.compile(r"\(\?<?[=!]"), "lookaround"),
    (re.compile(r"\\[1-9]|\(\?P=|\\k<"), "a backreference"),
    (re.compile(r"\(\?>|[*+?}]\+"), "a possessive or atomic group"),
    (re.compile(r"\(\?\("), "a conditional group"),
)


class Pattern(Protocol):
    """A compiled pattern: `search` gives something or none."""

    def search(self, text: str, /) -> object | None: ...


def compile_pattern(pattern: str) -> Pattern:
    """Compile for searching, ignoring case.

    Raises:
        ValueError: with `regex_problem`'s words, where re2 cannot run the pattern.
    """
    import re2  # noqa: PLC0415 - 4 MB of extension that most pipelines never need

    try:
        compiled: Pattern = re2.compile(pattern, _options())
    except re2.error as error:
        raise ValueError(_explained(pattern, error)) from error
    return compiled


class PatternSet:
    """Patterns that are looked for all at once, in one pass over a text."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises `ValueError` as `compile_pattern` does, for the first that cannot be compiled."""
        import re2  # noqa: PLC0415 - as above

        options = _options()
        options.max_mem = _SET_MEMORY
        self._set = re2.Set.SearchSet(options)
        for pattern in patterns:
            try:
                self._set.Add(pattern)
            except re2.error:
                compile_pattern(pattern)
                raise
        self._set.Compile()

    def found_in(self, text: str) -> Sequence[int]:
        """The places of the patterns that are found in `text`."""
        return self._set.Match(text) or ()


def _options() -> re2.Options:
    import re2  # noqa: PLC0415 - as above

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options


def regex_problem(pattern: str) -> str | None:
    """Why the pattern cannot be used, as a message for the editor, or none."""
    try:
        compiled = compile_pattern(pattern)
    except ValueError as error:
        return str(error)
    if compiled.search("") is not None:
        return "this regex matches the empty text, so it would answer everything"
    return None


def regex_hint(pattern: str) -> str:
    """What to write instead of what keeps `pattern` from running; empty where nothing tells."""
    for construct, hint in _MEANT:
        found = construct.search(pattern)
        if found:
            return hint.format(found[0])
    bare = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "", pattern)
    if "[" in bare:
        return "close `[` with `]`, or write `\\[` for the sign"
    if bare.count("(") != bare.count(")"):
        return "close each `(` with one `)`, or write `\\(` and `\\)` for the signs"
    return ""


def _explained(pattern: str, error: Exception) -> str:
    for construct, name in _UNSUPPORTED:
        if construct.search(pattern):
            return f"{name} is not supported: regexes run in linear time (re2 syntax), write it as several triggers"
    detail = error.args[0] if error.args else ""
    if isinstance(detail, bytes):
        detail = detail.decode("utf-8", "replace")
    return f"not a valid regex (re2 syntax): {detail}"
