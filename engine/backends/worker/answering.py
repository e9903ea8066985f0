"""Answers one prompt in the child: lay it out so that it fits, let the engine continue it, tidy what comes.

Knows engines by their protocol only, and nothing of processes and pipes.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.backends.worker.chat_template import ChatTemplate, TemplateError
from engine.backends.worker.forgery import Censor
from engine.backends.worker.gguf import Metadata
from engine.backends.worker.inference import DoesNotFit, Generation, InferenceEngine, LoadError, Request
from engine.backends.worker.layout import Chat, LaidOut, Layout, Transcript, shortened
from engine.backends.worker.settings import LocalSettings
from engine.backends.worker.tidying import tidy
from engine.model.deadline import Deadline
from engine.model.turn import Completion, Prompt


def choose_layout(settings: LocalSettings, metadata: Metadata) -> Layout:
    """By the model's chat template where it has one that works and the style allows; raises `LoadError`."""
    template = None
    if settings.style != "raw" and metadata.chat_template:
        try:
            template = ChatTemplate.of(metadata)
        except TemplateError as error:
            if settings.style == "chat":
                raise LoadError(str(error)) from error
    if template is not None:
        return Chat(template, Censor.of(metadata.control_tokens, template.fragments), settings.examples or 0)
    if settings.style == "chat":
        raise LoadError("style `chat` needs a model with a chat template; this file has none")
    return Transcript(Censor.of(metadata.control_tokens), settings.examples)


@dataclass(frozen=True, slots=True)
class Answerer:
    """A loaded model with the way its prompts are written."""

    engine: InferenceEngine
    layout: Layout
    settings: LocalSettings

    def answer(self, prompt: Prompt, deadline: Deadline) -> Completion:
        """Raises `DoesNotFit` and `OutOfTime`."""
        started = deadline.clock()
        room = self.settings.context - self.settings.max_tokens
        for candidate in shortened(prompt):
            laid_out = self.layout.lay_out(candidate)
            if self.engine.count(laid_out.text) > room:
                continue
            try:
                generation = self._generate(laid_out, deadline)
            except DoesNotFit:
                continue
            return self._completion(generation, prompt, deadline.clock() - started)
        raise DoesNotFit

    def _generate(self, laid_out: LaidOut, deadline: Deadline) -> Generation:
        return self.engine.generate(
            Request(
                text=laid_out.text,
                prefix=laid_out.prefix,
                stop=(*laid_out.stop, *self.settings.stop),
                max_tokens=self.settings.max_tokens,
                deadline=deadline,
            )
        )

    def _completion(self, generation: Generation, prompt: Prompt, seconds: float) -> Completion:
        return Completion(
            text=tidy(generation.text, prompt.labels, generation.finish_reason),
            finish_reason=generation.finish_reason,
            model="",
            prompt_tokens=generation.prompt_tokens,
            completion_tokens=generation.completion_tokens,
            confidence=generation.confidence,
            seconds=seconds,
        )
