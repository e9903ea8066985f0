"""llama.cpp, through llama-cpp-python. Runs in the worker process only: it may abort, and it is not thread-safe.

The generation loop is llama-cpp-python's `generate`, which keeps the tokens that a prompt shares with the last one. Around it
stand what that package does not give: a deadline inside prompt evaluation, and a confidence at 0.2 ms a token.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from random import SystemRandom
from typing import Any

from engine.backends.worker.gguf import Metadata
from engine.backends.worker.inference import DoesNotFit, Generation, LoadError, OutOfTime, Request
from engine.backends.worker.settings import LocalSettings
from engine.backends.worker.stream import Stream
from engine.model.deadline import Deadline

NAME = "llama.cpp"
BATCH = 512
"""Tokens a decode call takes; a part of what a saved state depends on."""

_ABORTED = "llama_decode returned 2"


def load(settings: LocalSettings, metadata: Metadata, phase: Callable[[str], None]) -> LlamaCpp:
    """Load the file of `settings`; raises `LoadError`."""
    phase("importing llama.cpp")
    try:
        import llama_cpp
    except (ImportError, OSError, RuntimeError) as error:
        raise LoadError(f"llama-cpp-python is not usable: {error}") from error
    phase("loading the model")
    try:
        llama = llama_cpp.Llama(
            settings.path,
            n_ctx=settings.context,
            n_batch=BATCH,
            n_threads=settings.threads,
            n_threads_batch=settings.threads,
            verbose=False,
        )
    except (AssertionError, OSError, RuntimeError, ValueError) as error:
        raise LoadError(f"llama.cpp cannot load it: {error}") from error
    return LlamaCpp(llama_cpp, llama, settings, metadata.bos)


class LlamaCpp:
    """One loaded model; `api` is the `llama_cpp` module, which is imported nowhere else."""

    def __init__(self, api: Any, llama: Any, settings: LocalSettings, bos: str) -> None:
        import numpy

        self._api, self._numpy, self._llama = api, numpy, llama
        self._settings, self._bos = settings, bos
        self._random = SystemRandom()
        self._deadline: Deadline | None = None
        self._abort = api.ggml_abort_callback(self._out_of_time)
        self._never = api.ggml_abort_callback(0)
        vocabulary = api.llama_model_get_vocab(llama.model)
        self._is_end: Callable[[int], bool] = lambda token: api.llama_vocab_is_eog(vocabulary, token)

    @property
    def version(self) -> str:
        return f"{NAME} {self._api.__version__}"

    def count(self, text: str) -> int:
        return len(self._tokens(text))

    def generate(self, request: Request) -> Generation:
        tokens = self._tokens(request.text)
        if len(tokens) + request.max_tokens > self._settings.context:
            raise DoesNotFit
        stream = Stream(request.stop)
        logs: list[float] = []
        reason = self._run(tokens, request, stream, logs)
        return Generation(
            text=stream.text(),
            finish_reason=reason,
            prompt_tokens=len(tokens),
            completion_tokens=len(logs),
            confidence=math.exp(sum(logs) / len(logs)) if logs else None,
        )

    def _run(self, tokens: list[int], request: Request, stream: Stream, logs: list[float]) -> Any:
        with contextlib.closing(self._sampled(tokens)) as sampled, self._aborting(request.deadline):
            for token in self._first_in_time(sampled):
                logs.append(self._log_probability(token))
                if self._is_end(token) or stream.add(self._llama.detokenize([token], prev_tokens=tokens)):
                    return "stop"
                if len(logs) >= request.max_tokens:
                    return "length"
                if request.deadline.passed:
                    return "deadline"
        return "stop"

    def _first_in_time(self, sampled: Iterator[int]) -> Iterator[int]:
        """The tokens; the abort callback costs time at every node of the graph, so it watches the prompt alone."""
        try:
            first = next(sampled)
        except RuntimeError as error:
            if str(error) == _ABORTED:
                raise OutOfTime from error
            raise
        self._api.llama_set_abort_callback(self._llama.ctx, self._never, None)
        yield first
        yield from sampled

    def _sampled(self, tokens: list[int]) -> Any:
        settings = self._settings
        self._llama.set_seed(self._random.getrandbits(31) if settings.seed is None else settings.seed)
        return self._llama.generate(
            tokens,
            temp=settings.temperature,
            top_p=settings.top_p,
            top_k=settings.top_k,
            min_p=settings.min_p,
            repeat_penalty=settings.repeat_penalty,
        )

    @contextlib.contextmanager
    def _aborting(self, deadline: Deadline) -> Iterator[None]:
        self._deadline = deadline
        self._api.llama_set_abort_callback(self._llama.ctx, self._abort, None)
        try:
            yield
        finally:
            self._api.llama_set_abort_callback(self._llama.ctx, self._never, None)
            self._deadline = None

    def _out_of_time(self, _: Any) -> bool:
        return self._deadline is not None and self._deadline.passed

    def _log_probability(self, token: int) -> float:
        """ln softmax of the last logits at `token`, by log-sum-exp with the maximum taken out."""
        numpy = self._numpy
        logits = numpy.ctypeslib.as_array(
            self._api.llama_get_logits_ith(self._llama.ctx, -1), shape=(self._llama.n_vocab(),)
        )
        top = float(logits.max())
        return float(logits[token]) - top - math.log(float(numpy.exp(logits - top).sum()))

    def _tokens(self, text: str) -> list[int]:
        begun = bool(self._bos) and text.startswith(self._bos)
        return list(self._llama.tokenize(text.encode("utf-8", "replace"), add_bos=not begun, special=True))
