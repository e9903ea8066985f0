"""What an unquoted word means: YAML's plain scalars, and those that no two YAML versions agree on.

`true`, `false`, `null`, decimal numbers and text are read as everybody expects. Words whose meaning depends on the
YAML version (`no`, `on`, `12:30`, `017` …) are never guessed at: they are surprises, and the editor is
asked to quote them or to write what is meant.
"""

from __future__ import annotations

import re

from engine.core.expression import Scalar
from engine.pipeline.reading.limits import MAX_DIGITS

WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?", re.ASCII)
FIRST_OF_SURPRISE = frozenset("0123456789+-.yYnNoO")
"""What a number begins with, or a word that YAML versions read differently."""
_SURPRISES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"yes|Yes|YES|on|On|ON"), "true"),
    (re.compile(r"no|No|NO|off|Off|OFF"), "false"),
    (re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"), "a number in base 60"),
    (re.compile(r"[-+]?0[0-9_]+"), "a number in base 8, or without its leading zero"),
    (re.compile(r"[-+]?0o?[0-7_]+"), "a number in base 8"),
    (re.compile(r"[-+]?0x[0-9a-fA-F_]+"), "a number in base 16"),
    (re.compile(r"[-+]?0b[01_]+"), "a number in base 2"),
    (re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?"), "a number with `_` left out"),
    (re.compile(r"[-+]?0[0-9]+\.[0-9]*"), "a number without its leading zero"),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), "a number without bounds"),
)


def resolve(text: str) -> Scalar:
    """The value of an unquoted word that is no surprise."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in FIRST_OF_SURPRISE:
        return text
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= MAX_DIGITS else text
    if _FLOAT.fullmatch(text):
        return float(text) if len(text) <= 2 * MAX_DIGITS else text
    return text


def surprise(text: str) -> str | None:
    """What some YAML readers take the unquoted `text` for, or `None` when all agree."""
    if not text or text[0] not in FIRST_OF_SURPRISE:
        return None
    if _INTEGER.fullmatch(text):
        return "a number that is rounded" if len(text) > MAX_DIGITS else None
    if _FLOAT.fullmatch(text):
        return "a number that is rounded" if len(text) > 2 * MAX_DIGITS else None
    return next((meaning for pattern, meaning in _SURPRISES if pattern.fullmatch(text)), None)


def parse_default(text: str) -> Scalar:
    """The value of the default in `${NAME:default}`: a plain or quoted scalar; empty is no value."""
    bare = text.strip()
    if len(bare) >= 2 and bare[0] == bare[-1] and bare[0] in "'\"":
        return bare[1:-1]
    return resolve(bare)
