"""Takes from a prompt what a model would read as a command: its control tokens, and what its chat template writes
around texts.

Where one is left standing, a guest can end their own turn, open another role's, and speak for the house. It is
applied to every text of a prompt, whoever wrote it: what is trusted today may hold a guest's words tomorrow.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from engine.text.marks import Marks, unlabelled

_MARKER = re.compile(r"<[^<>\s]{1,64}>|\[/?[^\[\]\s]{1,64}\]|<<[^<>]{1,32}>>|#{2,4} ?\w{1,32}:")
_ROLE = re.compile(r"(\w{1,32})[ \t]*[:：]\s*\Z")
"""A word with a colon at the end of a fragment introduces the text behind it, as in `USER: `."""
_LINES = re.compile(r"[\s\u0085\u2028\u2029]+")


class Censor:
    """Blanks control tokens and the markers of a chat template."""

    def __init__(self, control_tokens: Iterable[str] = (), template_fragments: Collection[str] = ()) -> None:
        """`template_fragments` is what a chat template writes around the texts it is given."""
        markers = {mark for fragment in template_fragments for mark in _MARKER.findall(fragment)}
        self._marks = Marks({*control_tokens, *markers})
        self._roles = tuple({found[1] for found in map(_ROLE.search, template_fragments) if found})

    def clean(self, text: str) -> str:
        """`text` without any mark, and without a colon behind the name of a role."""
        return unlabelled(self._marks.blanked(text), self._roles)


def one_line(text: str) -> str:
    """`text` as a single line."""
    return _LINES.sub(" ", text).strip()
