"""Splits a reply into its sentences, so that a stream can give them out one by one."""

from __future__ import annotations

import re

_SENTENCE = r"(?:[^。．！？!?\n.]|\.(?!\s|$))*(?:[。．！？!?\n.]+[」』）)\s]*|(?<=[^。．！？!?\n.])$)"
"""Up to a full stop, a mark or a line's end, with closing brackets and space; a point inside a number ends nothing."""


def sentences(text: str) -> list[str]:
    """The sentences of `text`, each with what ends it and the space after it; joined they are `text`."""
    return [one for one in re.findall(_SENTENCE, text) if one] or [text]
