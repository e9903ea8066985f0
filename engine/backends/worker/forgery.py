"""Takes from untrusted text what a model would read as a command: its control tokens and the markers of its chat
template.

Where a marker is left standing, a guest can end their own turn, open another role's, and speak for the house.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_MARKER = re.compile(r"<[^<>\s]{1,64}>|\[/?[^\[\]\s]{1,64}\]|<<[^<>]{1,32}>>|#{2,4} ?\w{1,32}:")
_SHAPES = (re.compile(r"<[^<>\s]{1,64}>"), re.compile(r"\[/?[^\[\]\s]{1,64}\]"))
"""Each is looked for by itself: one may stand inside the other."""
_LINES = re.compile(r"[\s\u0085\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Censor:
    """Replaces forbidden marks by a space. `shaped` are looked up, `others` searched for: a vocabulary has
    thousands.
    """

    shaped: frozenset[str]
    others: re.Pattern[str] | None

    @classmethod
    def of(cls, control_tokens: Iterable[str], template_fragments: Iterable[str] = ()) -> Censor:
        """`template_fragments` is what a chat template writes around the texts it is given."""
        marks = {token for token in control_tokens if token.strip()}
        marks |= {mark for fragment in template_fragments for mark in _MARKER.findall(fragment)}
        shaped = frozenset(mark for mark in marks if any(shape.fullmatch(mark) for shape in _SHAPES))
        rest = sorted(marks - shaped, key=len, reverse=True)
        return cls(shaped, re.compile("|".join(map(re.escape, rest))) if rest else None)

    def clean(self, text: str) -> str:
        """`text` without any mark; repeated, because removing one mark can put another together."""
        while (cleaned := self._once(text)) != text:
            text = cleaned
        return text

    def _once(self, text: str) -> str:
        for shape in _SHAPES:
            text = shape.sub(lambda found: " " if found[0] in self.shaped else found[0], text)
        return self.others.sub(" ", text) if self.others else text


def one_line(text: str, labels: Iterable[str]) -> str:
    """`text` as a single line of a transcript in which no label is followed by a colon."""
    line = _LINES.sub(" ", text).strip()
    for label in labels:
        line = re.sub(rf"({re.escape(label)})\s*[:：]", r"\1、", line)
    return line
