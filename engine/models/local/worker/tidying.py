"""Makes a model's raw continuation presentable: no label, no stray quotes, no half sentence. It invents nothing."""

from __future__ import annotations

import re

from engine.core.turn import FinishReason, Labels
from engine.models.spoken import finished_sentences, whole_sentences

_QUOTES = (("「", "」"), ("『", "』"), ('"', '"'), ("“", "”"))


def tidy(text: str, labels: Labels, finish_reason: FinishReason) -> str:
    """The reply in `text`; of a reply that was cut short, the whole sentences, if there is one."""
    reply = _unlabelled(text, labels)
    if finish_reason != "stop":
        reply = whole_sentences(reply)
    return _unquoted(reply).rstrip("、，, ")


def settled(text: str, labels: Labels) -> str:
    """The sentences of a reply that goes on which `tidy` will leave as they are, however it ends."""
    reply = _unlabelled(text, labels)
    return "" if reply.startswith(tuple(opening for opening, _ in _QUOTES)) else finished_sentences(reply)


def _unlabelled(text: str, labels: Labels) -> str:
    reply = text.replace("\ufffd", "").strip()
    return re.sub(rf"^(?:{re.escape(labels.reply)})\s*[:：]\s*", "", reply)


def _unquoted(text: str) -> str:
    for opening, closing in _QUOTES:
        inner = text[len(opening) :]
        if not text.startswith(opening):
            continue
        if inner.endswith(closing) and opening not in inner[: -len(closing)] and closing not in inner[: -len(closing)]:
            return inner[: -len(closing)].strip()
        if closing not in inner:
            return inner.strip()
    return text
