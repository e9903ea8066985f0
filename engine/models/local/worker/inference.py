"""What the worker asks of an engine, as one protocol: the child's side of the house builds on nothing else.

An engine turns finished text into generated text. It knows no persona, no history and no chat: `layout` and
`answering` do that part for every engine alike.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal, Protocol

from engine.models.local.worker.gguf import Metadata
from engine.models.local.worker.start import LocalSettings
from engine.models.local.worker.stream import Stream


class LoadError(Exception):
    """The engine cannot load this file; the message says why, for the operator."""


class DoesNotFit(Exception):
    """The prompt and the answer it may get are longer than the context."""


class OutOfTime(Exception):
    """The deadline came before the first token, or nobody waits for it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Text for the model to continue. The first `prefix` characters are expected to be the same from turn to turn.

    `over` tells that its time is; `on_text` is called after each token with the text so far and the confidence in it;
    `attempt` counts the answers to one prompt.
    """

    text: str
    prefix: int
    over: Callable[[], bool]
    stop: tuple[str, ...] = ()
    max_tokens: int = 0
    on_text: Callable[[Stream, float | None], None] = lambda _text, _confidence: None
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """`text` ends before the stop string; `completion_tokens` does not count the token that ended it; `confidence`,
    the geometric mean probability of the generated tokens, does.
    """

    text: str
    finish_reason: Literal["stop", "length", "deadline"]
    prompt_tokens: int
    completion_tokens: int
    confidence: float | None


class InferenceEngine(Protocol):
    """One loaded model, which answers `parallel` requests at once: its generators are resumed after each `step`."""

    @property
    def version(self) -> str: ...
    @property
    def parallel(self) -> int: ...
    def count(self, text: str) -> int:
        """Tokens in `text`; an estimate where the engine has no tokenizer to ask."""
        ...

    def prepare(self, request: Request) -> Generator[None]:
        """Evaluate the first `prefix` characters for later. Raises `OutOfTime`."""
        ...

    def generate(self, request: Request) -> Generator[None, None, Generation]:
        """Raises `DoesNotFit` and `OutOfTime`."""
        ...

    def step(self) -> None:
        """Raises `RuntimeError`, after which no generator can go on."""
        ...


class EngineModule(Protocol):
    """What `engine.models.local.llama_cpp` and `engine.models.local.gpt4all` offer; importing them may fail."""

    def load(self, settings: LocalSettings, metadata: Metadata) -> InferenceEngine:
        """Raises `LoadError`."""
        ...
