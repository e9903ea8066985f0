"""What the worker asks of an engine, as one protocol: the child's side of the house builds on nothing else.

An engine turns finished text into generated text. It knows no persona, no history and no chat: `layout` and
`answering` do that part for every engine alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from engine.core.deadline import Deadline
from engine.models.local.worker.gguf import Metadata
from engine.models.local.worker.start import LocalSettings


class LoadError(Exception):
    """The engine cannot load this file; the message says why, for the operator."""


class DoesNotFit(Exception):
    """The prompt and the answer it may get are longer than the context."""


class OutOfTime(Exception):
    """The deadline came before the first token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Text for the model to continue. The first `prefix` characters are expected to be the same from turn to turn."""

    text: str
    prefix: int
    stop: tuple[str, ...]
    max_tokens: int
    deadline: Deadline


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
    """One loaded model."""

    @property
    def version(self) -> str: ...
    def count(self, text: str) -> int:
        """Tokens in `text`; an estimate where the engine has no tokenizer to ask."""
        ...

    def prepare(self, text: str, prefix: int, interrupted: Callable[[], bool]) -> bool:
        """Evaluate the first `prefix` characters for later; whether that is done, `interrupted` ends it early."""
        ...

    def generate(self, request: Request) -> Generation:
        """Raises `DoesNotFit` and `OutOfTime`."""
        ...


class EngineModule(Protocol):
    """What `engine.models.local.llama_cpp` and `engine.models.local.gpt4all` offer; importing them may fail."""

    def load(self, settings: LocalSettings, metadata: Metadata) -> InferenceEngine:
        """Raises `LoadError`."""
        ...
