"""Answers one prompt in the child: lay it out so that it fits, let the engine continue it, tidy what comes.

Knows engines by their protocol only, and nothing of processes and pipes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Generator
from dataclasses import replace

from engine.core.turn import Completion, Prompt
from engine.models.local.worker.chat_template import ChatTemplate, TemplateError
from engine.models.local.worker.forgery import Censor
from engine.models.local.worker.gguf import Metadata
from engine.models.local.worker.inference import DoesNotFit, Generation, InferenceEngine, LoadError, OutOfTime, Request
from engine.models.local.worker.layout import Chat, LaidOut, Layout, Transcript, shortened
from engine.models.local.worker.start import PERSONA_SHARE, LocalSettings, persona_of
from engine.models.local.worker.stream import Stream
from engine.models.local.worker.tidying import settled, tidy
from engine.models.spoken import finished_sentences, spoken

Tell = Callable[[str, float | None], None]
"""Takes the sentences of an answer so far and the confidence in it."""


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
        self._attempts = 1 if settings.temperature == 0 else min(settings.best_of, engine.parallel)
        self._fitting: tuple[Prompt, int] | None = None

    @property
    def parallel(self) -> int:
        """How many prompts are answered at once."""
        return max(1, self._engine.parallel // self._attempts)

    def step(self) -> None:
        self._engine.step()

    def answer(
        self, prompt: Prompt, over: Callable[[], bool], tell: Tell | None = None
    ) -> Generator[None, None, Completion]:
        """Raises `DoesNotFit` and `OutOfTime`."""
        for candidate in shortened(self._with_fitting_examples(prompt)):
            laid_out = self._layout.lay_out(candidate)
            if self._engine.count(laid_out.text) > self._room:
                continue
            try:
                generation = yield from self._generate(laid_out, over, _telling(tell, laid_out, prompt))
            except DoesNotFit:
                continue
            return self._completion(generation, laid_out, prompt)
        raise DoesNotFit

    def prepare(self, prompt: Prompt) -> Generator[None]:
        """Evaluate the persona's part of `prompt` ahead of time. Raises `DoesNotFit`."""
        laid_out = self._layout.lay_out(self._with_fitting_examples(prompt))
        if self._engine.count(laid_out.text[: laid_out.prefix]) > self._room:
            raise DoesNotFit
        yield from self._engine.prepare(Request(text=laid_out.text, prefix=laid_out.prefix, over=bool))

    def _with_fitting_examples(self, prompt: Prompt) -> Prompt:
        """As many examples as leave a share of the room to the conversation: by the persona alone, so that the
        beginning of the text is the same in every turn.
        """
        persona = persona_of(prompt)
        if self._fitting is None or self._fitting[0] != persona:
            self._fitting = persona, self._count_fitting_examples(persona)
        return replace(prompt, examples=prompt.examples[: self._fitting[1]])

    def _count_fitting_examples(self, persona: Prompt) -> int:
        bound = self._room * PERSONA_SHARE

        def too_long(count: int) -> bool:
            laid_out = self._layout.lay_out(replace(persona, examples=persona.examples[:count]))
            return self._engine.count(laid_out.text) > bound

        return max(0, bisect_left(range(len(persona.examples) + 1), True, key=too_long) - 1)

    def _generate(
        self, laid_out: LaidOut, over: Callable[[], bool], on_text: Callable[[Stream, float | None], None]
    ) -> Generator[None, None, Generation]:
        """The likeliest of several answers that are written at once."""
        request = Request(
            text=laid_out.text,
            prefix=laid_out.prefix,
            over=over,
            stop=(*laid_out.stop, *self._settings.stop),
            max_tokens=self._settings.max_tokens,
        )
        if self._attempts == 1:
            return (yield from self._engine.generate(replace(request, on_text=on_text)))
        waiting = [self._engine.generate(replace(request, attempt=number)) for number in range(self._attempts)]
        done: list[Generation] = []
        try:
            while waiting:
                for generating in tuple(waiting):
                    try:
                        next(generating)
                    except StopIteration as end:
                        waiting.remove(generating)
                        done.append(end.value)
                    except OutOfTime:
                        waiting.remove(generating)
                if waiting:
                    yield
        finally:
            for generating in waiting:
                generating.close()
        if not done:
            raise OutOfTime
        return max(done, key=lambda one: (one.finish_reason == "stop", one.confidence or 0.0))

    def _completion(self, generation: Generation, laid_out: LaidOut, prompt: Prompt) -> Completion:
        words = spoken(generation.text, prompt=laid_out.text)
        return Completion(
            text=tidy(words, prompt.labels, generation.finish_reason),
            finish_reason=generation.finish_reason,
            model="",
            prompt_tokens=generation.prompt_tokens,
            completion_tokens=generation.completion_tokens,
            confidence=generation.confidence,
        )


def _telling(tell: Tell | None, laid_out: LaidOut, prompt: Prompt) -> Callable[[Stream, float | None], None]:
    """Has sentences told as soon as the next one has begun."""
    written = told = 0

    def on_text(stream: Stream, confidence: float | None) -> None:
        nonlocal written, told
        text = stream.certain()
        if tell is None or len(finished_sentences(text)) <= written:
            return
        written = len(finished_sentences(text))
        said = settled(spoken(text, prompt=laid_out.text), prompt.labels)
        if len(said) > told:
            told = len(said)
            tell(said, confidence)

    return on_text
