"""llama.cpp, through llama-cpp-python. Runs in the worker process only: it may abort, and it is not thread-safe.

The generation loop is llama-cpp-python's `generate`, which keeps the tokens that a prompt shares with the last one.
Around it stands what that package does not give: a deadline inside prompt evaluation, a confidence at 0.2 ms a
token, the persona's part of a prompt kept across processes, and tokens of more than 32 bytes: its own `detokenize`
loses them, and ありがとうございました is one.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from random import SystemRandom
from typing import Any, Literal

import llama_cpp
import numpy as np
from llama_cpp._logger import llama_log_callback

from engine.models.local.worker.gguf import Metadata
from engine.models.local.worker.inference import DoesNotFit, Generation, LoadError, OutOfTime, Request
from engine.models.local.worker.start import LocalSettings
from engine.models.local.worker.states import StateStore, default_folders, scope_of
from engine.models.local.worker.stream import Stream
from engine.models.spoken import is_mark

FinishReason = Literal["stop", "length", "deadline"]

NAME = "llama.cpp"
BATCH = 512
"""Tokens a decode call takes; a part of what a saved state depends on."""

_WORTH_KEEPING = 64
"""Tokens; a shorter beginning is evaluated as fast as it is read."""

_SMALLEST_CHUNK = 16
"""Tokens; so few take hardly longer than one."""

_LONGEST_TOKEN = 1024
"""Bytes."""

_COMPLAINT = re.compile(r"\b(?:error|fail(?:ed|ure)?|invalid|unknown|unsupported)\b", re.IGNORECASE)

_ABORTED = "llama_decode returned 2"


def load(settings: LocalSettings, metadata: Metadata) -> LlamaCpp:
    """Load the file of `settings`; raises `LoadError`."""
    avoid_tiles()
    with _heard() as lines:
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
            raise LoadError(f"llama.cpp cannot load it: {_reason(lines) or error}") from error
    return LlamaCpp(llama, settings, metadata.bos, _states(settings))


@contextlib.contextmanager
def _heard() -> Iterator[list[str]]:
    """The lines that llama.cpp logs meanwhile: the package's own exception says only that it failed."""
    lines: list[str] = []
    listen = llama_cpp.llama_log_callback(lambda _level, text, _data: lines.append(text.decode("utf-8", "replace")))
    llama_cpp.llama_log_set(listen, None)
    try:
        yield lines
    finally:
        llama_cpp.llama_log_set(llama_log_callback, None)


def _reason(lines: Sequence[str]) -> str:
    """The line that says why a file was refused, without the function's name in front; empty where none does.

    What llama.cpp lists of a file, such as `rope_finetuned = unknown`, is none.
    """
    said = [line.strip().partition(": ")[2] for line in lines]
    found = next((line for line in said if line.startswith("error loading model")), "")
    found = found or next((line for line in said if _COMPLAINT.search(line) and " = " not in line), "")
    return found.removeprefix("error loading model: ")[:300]


def avoid_tiles() -> None:
    """Keep models that are loaded after this from using AMX, where llama.cpp was compiled for it.

    GCC before 14 drops the stores before `ldtilecfg`: what it makes of llama.cpp on such a processor dies of the first
    matrix. The option that keeps weights out of those buffers is not among llama-cpp-python's own.
    """
    if b"AMX_INT8 = 1" not in llama_cpp.llama_print_system_info():
        return
    defaults = llama_cpp.llama_model_default_params

    def without_extra_buffers() -> Any:
        parameters = defaults()
        parameters.use_extra_bufts = False
        return parameters

    llama_cpp.llama_cpp.llama_model_default_params = without_extra_buffers


def _states(settings: LocalSettings) -> StateStore:
    path = Path(settings.path)
    scope = scope_of(path, llama_cpp.__version__, settings.context, BATCH)
    # Whoever may replace the model need not plant states.
    return StateStore(default_folders(path, settings.cache), scope, frozenset({path.stat().st_uid}))


class LlamaCpp:
    """One loaded model."""

    def __init__(self, llama: llama_cpp.Llama, settings: LocalSettings, bos: str, states: StateStore) -> None:
        self._llama, self._settings, self._bos, self._states = llama, settings, bos, states
        self._random = SystemRandom()
        self._chunk = BATCH
        self._stop: Callable[[], bool] = bool
        self._abort = llama_cpp.ggml_abort_callback(lambda _: self._stop())
        self._never = llama_cpp.ggml_abort_callback(0)
        recurrent = llama_cpp.llama_model_is_recurrent(llama.model) or llama_cpp.llama_model_is_hybrid(llama.model)
        self._cuttable = not recurrent
        self._vocabulary = llama_cpp.llama_model_get_vocab(llama.model)

    @property
    def version(self) -> str:
        return f"{NAME} {llama_cpp.__version__}"

    def count(self, text: str) -> int:
        return len(self._tokens(text))

    def prepare(self, text: str, prefix: int, interrupted: Callable[[], bool]) -> bool:
        tokens = self._tokens(text)
        try:
            with self._aborting(interrupted):
                shared = self._shared(tokens, text[:prefix])
                self._begin(tokens[:shared], shared)
        except RuntimeError as error:
            self._cut(error)
            return False
        return True

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
            completion_tokens=len(logs) - (reason == "stop"),
            confidence=math.exp(sum(logs) / len(logs)) if logs else None,
        )

    def _run(self, tokens: list[int], request: Request, stream: Stream, logs: list[float]) -> FinishReason:
        with (
            contextlib.closing(self._sampled(tokens, request)) as sampled,
            self._aborting(lambda: request.deadline.passed),
        ):
            for token in self._first_in_time(sampled):
                logs.append(self._log_probability(token))
                if self._is_end(token) or stream.add(self._piece(token)):
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
            self._cut(error)
            raise OutOfTime from error
        self._chunk = min(BATCH, self._chunk * 2)
        llama_cpp.llama_set_abort_callback(self._llama.ctx, self._never, None)
        yield first
        yield from sampled

    def _sampled(self, tokens: list[int], request: Request) -> Generator[int]:
        settings = self._settings
        self._llama.set_seed(self._random.getrandbits(31) if settings.seed is None else settings.seed)
        self._begin(tokens, self._shared(tokens, request.text[: request.prefix]))
        yield from self._llama.generate(
            tokens,
            temp=settings.temperature,
            top_p=settings.top_p,
            top_k=settings.top_k,
            min_p=settings.min_p,
            repeat_penalty=settings.repeat_penalty,
        )

    def _cut(self, error: RuntimeError) -> None:
        """Take note of an evaluation that was ended early; any other error is raised again."""
        if str(error) != _ABORTED:
            raise error
        self._chunk = max(_SMALLEST_CHUNK, self._chunk // 2)

    def _begin(self, tokens: list[int], prefix: int) -> None:
        """Have the first `prefix` tokens evaluated, which may still be there or lie in the store, and of a long
        rest most.

        It goes in chunks, each of which is gained for good when the deadline comes. A chunk that the deadline cut
        halves the next one, so that turns with little time get further too. Fresh processes split alike: other
        splits change the last bits.
        """
        if not self._cuttable:
            return
        held = _common(tokens, self._llama.eval_tokens)
        if prefix >= _WORTH_KEEPING and held < prefix:
            if not self._restore(tokens[:prefix]):
                held = min(held, self._llama.n_tokens)
                self._evaluate(tokens, held - held % self._chunk, prefix)
                self._states.keep(tokens[:prefix], self._state())
            held = prefix
        if held < len(tokens) - self._chunk:
            self._evaluate(tokens, held, len(tokens) - self._chunk)

    def _evaluate(self, tokens: list[int], start: int, end: int) -> None:
        self._llama.n_tokens = start
        for at in range(start, end, self._chunk):
            self._llama.eval(tokens[at : min(at + self._chunk, end)])

    def _state(self) -> bytes:
        size = llama_cpp.llama_state_seq_get_size(self._llama.ctx, 0)
        buffer = (ctypes.c_uint8 * size)()
        written = llama_cpp.llama_state_seq_get_data(self._llama.ctx, buffer, size, 0)
        return bytes(buffer)[:written]

    def _restore(self, tokens: list[int]) -> bool:
        state = self._states.find(tokens)
        if state is None:
            return False
        buffer = (ctypes.c_uint8 * len(state)).from_buffer(state)
        restored: bool = llama_cpp.llama_state_seq_set_data(self._llama.ctx, buffer, len(state), 0) == len(state)
        self._llama.input_ids[: len(tokens)] = tokens
        self._llama.n_tokens = len(tokens) if restored else 0
        if not restored:
            self._states.discard(tokens)
        return restored

    @contextlib.contextmanager
    def _aborting(self, stop: Callable[[], bool]) -> Iterator[None]:
        """Evaluation inside ends with `_ABORTED` as soon as `stop` says so."""
        self._stop = stop
        llama_cpp.llama_set_abort_callback(self._llama.ctx, self._abort, None)
        try:
            yield
        finally:
            llama_cpp.llama_set_abort_callback(self._llama.ctx, self._never, None)

    def _shared(self, tokens: list[int], beginning: str) -> int:
        """How many of `tokens` stand for `beginning`: at its end, a token may reach over into what follows."""
        return _common(tokens, self._tokens(beginning))

    def _log_probability(self, token: int) -> float:
        """The logarithm of the softmax of the last logits at `token`, by log-sum-exp with the maximum taken out."""
        logits = np.ctypeslib.as_array(
            llama_cpp.llama_get_logits_ith(self._llama.ctx, -1), shape=(self._llama.n_vocab(),)
        )
        top = float(logits.max())
        return float(logits[token]) - top - math.log(float(np.exp(logits - top).sum()))

    def _is_end(self, token: int) -> bool:
        return bool(llama_cpp.llama_vocab_is_eog(self._vocabulary, token))

    def _piece(self, token: int) -> bytes:
        """The bytes of `token`; of control tokens, which are no words, only those that part thoughts from words."""
        buffer = ctypes.create_string_buffer(_LONGEST_TOKEN)
        if length := llama_cpp.llama_token_to_piece(self._vocabulary, token, buffer, _LONGEST_TOKEN, 0, False):
            return buffer.raw[: max(0, length)]
        length = llama_cpp.llama_token_to_piece(self._vocabulary, token, buffer, _LONGEST_TOKEN, 0, True)
        piece = buffer.raw[: max(0, length)]
        return piece if is_mark(piece.decode("utf-8", "ignore")) else b""

    def _tokens(self, text: str) -> list[int]:
        begun = bool(self._bos) and text.startswith(self._bos)
        return list(self._llama.tokenize(text.encode("utf-8", "replace"), add_bos=not begun, special=True))


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))
