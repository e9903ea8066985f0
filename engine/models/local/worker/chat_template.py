"""Renders the chat template that a GGUF file holds. The template is a stranger's program: it runs in Jinja's
sandbox, and only in the worker process, whose life is bounded by the deadline of its parent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.models.local.worker.gguf import Metadata

ChatMessage = tuple[str, str]
"""Role (`system`, `user`, `assistant`) and text."""

_PROBE: Sequence[ChatMessage] = (("user", "\ue000"), ("assistant", "\ue001"), ("user", "\ue002"))


class TemplateError(ValueError):
    """The template cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """`takes_system` is whether the template has a place for a system message; Gemma's, for one, refuses it.
    `thinking` is told to those that ask, by whatever name.
    """

    template: jinja2.Template
    bos: str
    eos: str
    takes_system: bool
    fragments: tuple[str, ...]
    thinking: bool = False

    @classmethod
    def of(cls, metadata: Metadata, *, thinking: bool = False) -> ChatTemplate:
        """Compile the file's template and try it once; raises `TemplateError`."""
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"], autoescape=False
        )
        environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
        environment.globals.update(raise_exception=_raise, strftime_now=_strftime_now)
        try:
            template = environment.from_string(metadata.chat_template or "")
        except jinja2.TemplateError as error:
            raise TemplateError(f"the model's chat template does not compile: {error}") from error
        plain = cls(template, metadata.bos, metadata.eos, False, (), thinking)
        fragments = _split(plain.render(_PROBE))
        return cls(template, metadata.bos, metadata.eos, plain.accepts_system(), fragments, thinking)

    def accepts_system(self) -> bool:
        try:
            return "\ue003" in self.render((("system", "\ue003"), *_PROBE))
        except TemplateError:
            return False

    def render(self, messages: Sequence[ChatMessage]) -> str:
        """The prompt up to where the assistant speaks; raises `TemplateError`."""
        try:
            return self.template.render(
                messages=[{"role": role, "content": text} for role, text in messages],
                bos_token=self.bos,
                eos_token=self.eos,
                add_generation_prompt=True,
                enable_thinking=self.thinking,
                thinking=self.thinking,
                reasoning_effort="medium" if self.thinking else "low",
            )
        except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise TemplateError(f"the model's chat template failed: {error}") from error


def _split(rendered: str) -> tuple[str, ...]:
    for _, mark in _PROBE[1:]:
        rendered = rendered.replace(mark, _PROBE[0][1])
    return tuple(rendered.split(_PROBE[0][1]))


def _raise(message: Any) -> NoReturn:
    raise jinja2.TemplateError(str(message))


def _strftime_now(layout: str) -> str:
    return datetime.now(UTC).strftime(layout)
