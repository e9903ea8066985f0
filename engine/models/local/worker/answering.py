"""Answers one prompt in the child: lay it out so that it fits, let the engine continue it, tidy what comes.

Knows engines by their protocol only, and nothing of processes and pipes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

from engine.core.deadline import Deadline
from engine.core.turn import Completion, Prompt
from engine.models.local.worker.chat_template import ChatTemplate, TemplateError
from engine.models.local.worker.forgery import Censor
from engine.models.local.worker.gguf import Metadata
from engine.models.local.worker.inference import DoesNotFit, Generation, InferenceEngine, LoadError, Request
from engine.models.local.worker.layout import Chat, LaidOut, Layout, Transcript, shortened
from engine.models.local.worker.start import LocalSettings
from engine.models.local.worker.tidying import tidy
from engine.models.spoken import spoken

PERSONA_SHARE = 0.75
"""Of the tokens that a prompt may have, how many the persona and its examples may take."""


def choose_layout(settings: LocalSettings, metadata: Metadata) -> Layout:
    """By the model's chat template where it has one that works and the style allows; raises `LoadError`."""
    template = None
    if settings.style != "raw" and metadata.chat_template:
        try:
            template = ChatTemplate.of(metadata, thinking=settings.thinking)
        except TemplateError as error:
            if settings.style == "chat":
                raise LoadError(str(error)) from error
    if template is not None:
        return Chat(template, Censor(metadata.control_tokens, template.fragments), settings.examples or 0)
    if settings.style == "chat":
        raise LoadError("style `chat` needs a model with a chat template; this file has none")
    return Transcript(Censor(metadata.control_tokens), settings.examples)


class Answerer:
    """A loaded model with the way its prompts are written."""

    def __init__(self, engine: InferenceEngine, layout: Layout, settings: LocalSettings) -> None:
        self._engine, self._layout, self._settings = engine, layout, settings
        self._room = settings.context - settings.max_tokens
        self._fitting: tuple[Prompt, int] | None = None

    def answer(self, prompt: Prompt, deadline: Deadline) -> Completion:
        """Raises `DoesNotFit` and `OutOfTime`."""
        started = deadline.clock()
        for candidate in shortened(self._with_fitting_examples(prompt)):
            laid_out = self._layout.lay_out(candidate)
            if self._engine.count(laid_out.text) > self._room:
                continue
            try:
                generation = self._generate(laid_out, deadline)
            except DoesNotFit:
                continue
            return self._completion(generation, laid_out, prompt, deadline.clock() - started)
        raise DoesNotFit

    def prepare(self, prompt: Prompt, interrupted: Callable[[], bool]) -> bool:
        """Evaluate the persona's part of `prompt` ahead of time; whether that is done. Raises `DoesNotFit`."""
        laid_out = self._layout.lay_out(self._with_fitting_examples(prompt))
        if self._engine.count(laid_out.text[: laid_out.prefix]) > self._room:
            raise DoesNotFit
        return self._engine.prepare(laid_out.text, laid_out.prefix, interrupted)

    def _with_fitting_examples(self, prompt: Prompt) -> Prompt:
        """As many examples as leave a share of the room to the conversation: by the persona alone, so that the
        beginning of the text is the same in every turn.
        """
        persona = replace(prompt, history=(), near=(), text="")
        if self._fitting is None or self._fitting[0] != persona:
            self._fitting = persona, self._count_fitting_examples(persona)
        return replace(prompt, examples=prompt.examples[: self._fitting[1]])

    def _count_fitting_examples(self, persona: Prompt) -> int:
        bound = self._room * PERSONA_SHARE

        def too_long(count: int) -> bool:
            laid_out = self._layout.lay_out(replace(persona, examples=persona.examples[:count]))
            return self._engine.count(laid_out.text) > bound

        return max(0, bisect_left(range(len(persona.examples) + 1), True, key=too_long) - 1)

    def _generate(self, laid_out: LaidOut, deadline: Deadline) -> Generation:
        return self._engine.generate(
            Request(
                text=laid_out.text,
                prefix=laid_out.prefix,
                stop=(*laid_out.stop, *self._settings.stop),
                max_tokens=self._settings.max_tokens,
                deadline=deadline,
            )
        )

    def _completion(self, generation: Generation, laid_out: LaidOut, prompt: Prompt, seconds: float) -> Completion:
        words = spoken(generation.text, prompt=laid_out.text)
        return Completion(
            text=tidy(words, prompt.labels, generation.finish_reason),
            finish_reason=generation.finish_reason,
            model="",
            prompt_tokens=generation.prompt_tokens,
            completion_tokens=generation.completion_tokens,
            confidence=generation.confidence,
            seconds=seconds,
        )
