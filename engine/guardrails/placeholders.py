"""Puts placeholders for personal data into what a model is asked, and the data back into what it answers.

A placeholder is `[電話1]`: Japanese, short and in brackets, as models leave it alone. Equal data has equal
placeholders; what the guest said is numbered first, so that the prompts of a turn agree about it. Nothing is kept
between prompts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from engine.core.record import replace
from engine.core.turn import Exchange, Message, Prompt
from engine.guardrails.masks import MASKS, find_all

_NAMES = {
    unicodedata.normalize("NFKC", label).casefold(): name
    for name, mask in MASKS.items()
    for label in (mask.label, *mask.others)
}
_LABEL = "|".join(sorted(map(re.escape, _NAMES), key=len, reverse=True))
_PLACEHOLDER = re.compile(
    rf"\\?[\[［【〔]\s*({_LABEL})\s*[-_#＃]?\s*([0-9０-９]{{1,4}})\s*\\?[\]］】〕]", re.IGNORECASE
)
"""Also as a model may change it: other brackets or digits, its label in English."""


_UNFINISHED = re.compile(r"\\?[\[［【〔][^\]］】〕]{0,40}\Z|\\\Z")
"""What may become a placeholder with the text that follows."""


class Placeholders:
    """The placeholders of one prompt; `texts` are all of its texts, for no placeholder may stand in one already."""

    def __init__(self, masks: Iterable[str], texts: Iterable[str]) -> None:
        self._masks = tuple(masks)
        self._taken = {_key(found) for text in texts for found in _PLACEHOLDER.finditer(text)}
        self._of: dict[str, str] = {}
        self._values: dict[tuple[str, int], str] = {}

    def mask(self, text: str) -> str:
        """`text` with a placeholder for each thing that the masks find."""
        pieces, place = [], 0
        for found in find_all(text, self._masks):
            pieces += [text[place : found.start], self._placeholder(found.mask, text[found.start : found.end])]
            place = found.end
        return "".join((*pieces, text[place:]))

    def restore(self, text: str, *, goes_on: bool = False) -> str:
        """`text` with what the placeholders in it stand for; one that is made up stays as it is. Of a text that
        `goes_on`, without an end that may be half a placeholder.
        """
        text = _UNFINISHED.sub("", text) if goes_on else text
        return _PLACEHOLDER.sub(lambda found: self._values.get(_key(found), found[0]), text)

    def _placeholder(self, mask: str, value: str) -> str:
        if value not in self._of:
            number = 1
            while (mask, number) in self._taken:
                number += 1
            self._taken.add((mask, number))
            self._values[mask, number] = value
            self._of[value] = f"[{MASKS[mask].label}{number}]"
        return self._of[value]


def _key(found: re.Match[str]) -> tuple[str, int]:
    return _NAMES[unicodedata.normalize("NFKC", found[1]).casefold()], int(found[2])


def mask_prompt(prompt: Prompt, masks: Iterable[str]) -> tuple[Prompt, Placeholders]:
    """`prompt` as a model outside may see it, and what restores its answer."""
    exchanges = (*prompt.examples, *prompt.near)
    told = [text for one in exchanges for text in (one.user, one.reply)]
    texts = [prompt.system, prompt.text, *told, *(message.text for message in prompt.history)]
    placeholders = Placeholders(masks, texts)
    mask = placeholders.mask
    # The order of the keys is the order of the numbers.
    masked: Mapping[str, object] = {
        "history": tuple(Message(message.role, mask(message.text)) for message in prompt.history),
        "text": mask(prompt.text),
        "system": mask(prompt.system),
        "examples": tuple(Exchange(mask(one.user), mask(one.reply)) for one in prompt.examples),
        "near": tuple(Exchange(mask(one.user), mask(one.reply)) for one in prompt.near),
    }
    return replace(prompt, **masked), placeholders


def masked(text: str, masks: Iterable[str]) -> str:
    """`text` alone as a model outside would see it."""
    return Placeholders(masks, (text,)).mask(text)
