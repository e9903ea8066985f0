"""GPT4All. Runs in the worker process only: it is not thread-safe, and it ends the process on many damaged files.

The package is used below its chat sessions, which know no deadline and rewrite prompts: the text is laid out
already. It gives neither a tokenizer nor probabilities, so counts made beforehand are estimates, and there is no
confidence. Its repeat penalty counts the tokens of the prompt too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import gpt4all

from engine.models.local.worker.gguf import Metadata
from engine.models.local.worker.inference import DoesNotFit, Generation, LoadError, OutOfTime, Request
from engine.models.local.worker.start import LocalSettings
from engine.models.local.worker.stream import Stream

NAME = "gpt4all"
BATCH = 128
"""Prompt tokens between two looks at the clock."""

_ERROR = "ERROR: "
_BYTES_PER_TOKEN = 3.0
"""A first guess, replaced by what prompts turn out to hold."""

_TOO_LONG = "prompt size exceeds"


def load(settings: LocalSettings, metadata: Metadata) -> Gpt4All:
    """Load the file of `settings`; raises `LoadError`."""
    path = Path(settings.path)
    if path.suffix != ".gguf":
        raise LoadError("gpt4all loads only files whose name ends in .gguf")
    try:
        loaded = gpt4all.GPT4All(
            path.name,
            model_path=path.parent,
            allow_download=False,
            n_ctx=settings.context,
            n_threads=settings.threads,
            device="cpu",
        )
    except Exception as error:
        # The package raises bare `Exception` for a file that it does not understand.
        raise LoadError(f"gpt4all cannot load it: {error}") from error
    return Gpt4All(loaded.model, settings, metadata)


class Gpt4All:
    """One loaded model; `model` is the package's `LLModel`."""

    def __init__(self, model: Any, settings: LocalSettings, metadata: Metadata) -> None:
        self._model, self._settings = model, settings
        self._bos = metadata.bos if metadata.adds_bos else ""
        self._bytes_per_token = _BYTES_PER_TOKEN

    @property
    def version(self) -> str:
        return f"{NAME} {version('gpt4all')}"

    @property
    def parallel(self) -> int:
        return 1

    def count(self, text: str) -> int:
        return math.ceil(len(text.encode("utf-8", "replace")) / self._bytes_per_token)

    def prepare(self, _request: Request) -> Generator[None]:
        """Nothing: this engine keeps nothing between prompts."""
        yield

    def step(self) -> None:
        """Nothing: an answer is made in one go."""

    def generate(self, request: Request) -> Generator[None, None, Generation]:
        yield
        run = _Run(request, self._settings.context)
        text = request.text.removeprefix(self._bos)
        self._model._prompt_callback = run.on_prompt  # noqa: SLF001 - the one place where a prompt can be stopped
        self._model._callback_decoder = _bytes_as_they_come  # noqa: SLF001 - the package's own hides tokens and deadlines
        self._model.prompt_model(
            text,
            "%1%2",
            run.on_token,
            n_predict=request.max_tokens,
            top_k=self._settings.top_k if self._settings.temperature > 0 else 1,
            top_p=self._settings.top_p,
            min_p=self._settings.min_p,
            temp=self._settings.temperature,
            n_batch=BATCH,
            repeat_penalty=self._settings.repeat_penalty,
            repeat_last_n=64,
            reset_context=True,
            special=True,
        )
        if run.prompt_tokens:
            self._bytes_per_token = len(text.encode("utf-8", "replace")) / run.prompt_tokens
        return run.result()


class _Run:
    """One generation, as its callbacks see it; a callback that returns false ends it."""

    def __init__(self, request: Request, context: int) -> None:
        self._request, self._context = request, context
        self._stream = Stream(request.stop)
        self._error = ""
        self._reason: Literal["stop", "length", "deadline"] = "stop"
        self._tokens = 0
        self._late = False
        self.prompt_tokens = 0

    def on_prompt(self, _token: int) -> bool:
        self.prompt_tokens += 1
        self._late = self._request.over()
        return not self._late

    def on_token(self, token: int, piece: bytes) -> bool:
        if token < 0:
            self._error += piece.decode("utf-8", "replace")
            return True
        if self.prompt_tokens + self._request.max_tokens > self._context:
            self._error = _TOO_LONG
            return False
        if self._stream.add(piece):
            return False
        self._tokens += 1
        if self._tokens >= self._request.max_tokens:
            self._reason = "length"
        elif self._request.over():
            self._reason = "deadline"
        else:
            self._request.on_text(self._stream, None)
        return self._reason == "stop"

    def result(self) -> Generation:
        """Raises what became of the generation: errors come as text from this engine."""
        if _TOO_LONG in self._error:
            raise DoesNotFit
        if self._error:
            raise RuntimeError(self._error.removeprefix(_ERROR))
        if self._late:
            raise OutOfTime
        return Generation(
            text=self._stream.text(),
            finish_reason=self._reason,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self._tokens,
            confidence=None,
        )


def _bytes_as_they_come(callback: Callable[[int, bytes], bool]) -> Callable[[int, bytes], bool]:
    return callback
