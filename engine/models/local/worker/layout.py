"""Lays a prompt out as the text a model continues: by its chat template, or as a transcript for base models.

Trimming works on history only: the persona and the guest's words are never cut. Every text is neutralised before it
is laid out, so that only this module opens a role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from engine.core.turn import Exchange, Prompt
from engine.models.dialogue import alternating
from engine.models.local.worker.chat_template import ChatMessage, ChatTemplate
from engine.models.local.worker.forgery import Censor, one_line
from engine.text.marks import unlabelled

_BLANK_LINE = re.compile(r"\n\s*\n")
_MARK = "\ue000"


@dataclass(frozen=True, slots=True)
class LaidOut:
    """The first `prefix` characters depend on the persona alone."""

    text: str
    prefix: int
    stop: tuple[str, ...]


class Layout(Protocol):
    """A way to write a prompt down."""

    @property
    def style(self) -> str: ...
    def lay_out(self, prompt: Prompt) -> LaidOut: ...


@dataclass(frozen=True, slots=True)
class Transcript:
    """`label: words` lines, of which the model writes the next; `examples` `None` sends them all.

    Of the system text only the first paragraph opens it: a base model follows examples, not instructions, and a page of
    them only stands between it and the conversation.
    """

    censor: Censor
    examples: int | None
    style: str = "raw"

    def lay_out(self, prompt: Prompt) -> LaidOut:
        labels = (prompt.labels.user, prompt.labels.reply)

        def safe(text: str) -> str:
            return unlabelled(self.censor.clean(text), labels)

        def exchange(example: Exchange) -> str:
            return f"{labels[0]}: {safe(one_line(example.user))}\n{labels[1]}: {safe(one_line(example.reply))}\n"

        opening = safe(_BLANK_LINE.split(prompt.system.strip(), maxsplit=1)[0])
        head = f"{opening}\n\n" if opening else ""
        head += "".join(map(exchange, prompt.examples[: self.examples]))
        near = "".join(map(exchange, prompt.near)) if self.examples != 0 else ""
        lines = [
            f"{labels[0] if message.role == 'user' else labels[1]}: {safe(one_line(message.text))}\n"
            for message in prompt.history
        ]
        text = f"{head}{near}{''.join(lines)}{labels[0]}: {safe(one_line(prompt.text))}\n{labels[1]}:"
        return LaidOut(text, len(head), ("\n", *(f"{label}{colon}" for label in labels for colon in ":：")))


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages through the model's own template; the first `examples` of the persona come before the history."""

    template: ChatTemplate
    censor: Censor
    examples: int
    style: str = "chat"

    def lay_out(self, prompt: Prompt) -> LaidOut:
        text = self._render(prompt)
        bare = self._render(replace(prompt, history=(), near=(), text=_MARK))
        return LaidOut(text, _common(text, bare.partition(_MARK)[0]), ())

    def _render(self, prompt: Prompt) -> str:
        shown = (*prompt.examples[: self.examples], *(prompt.near if self.examples else ()))
        said = alternating(shown, prompt.history, prompt.text)
        messages: list[ChatMessage] = [(message.role, self.censor.clean(message.text)) for message in said]
        system = self.censor.clean(prompt.system.strip())
        if system and self.template.takes_system:
            messages = [("system", system), *messages]
        elif system:
            messages[0] = ("user", f"{system}\n\n{messages[0][1]}")
        return self.template.render(messages)


def shortened(prompt: Prompt) -> Iterator[Prompt]:
    """`prompt`, then the same with ever less of the oldest history, each beginning with the guest's words, then
    with none.
    """
    yield prompt
    for start in range(1, len(prompt.history)):
        if prompt.history[start].role == "user":
            yield replace(prompt, history=prompt.history[start:])
    if prompt.history:
        yield replace(prompt, history=())


def _common(one: str, other: str) -> int:
    return next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
