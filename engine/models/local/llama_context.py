"""One llama.cpp context with several sequences, by the C interface that llama-cpp-python binds.

`Llama`, that package's own class, holds one sequence. Here stand the calls that several need, and what the class does
not give: an evaluation that can be ended, tokens of more than 32 bytes (its `detokenize` loses them, and
ありがとうございました is one), and a sampler that copies no vocabulary. Knows tokens and sequences, and no prompt.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import re
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import llama_cpp
import numpy as np
import numpy.typing as npt
from llama_cpp._logger import llama_log_callback, set_verbose

from engine.models.local.worker.inference import LoadError
from engine.models.local.worker.start import LocalSettings
from engine.models.spoken import is_mark

BATCH: Final = 256
"""Tokens a decode call takes; a part of what a saved state depends on."""

_REPEATED: Final = 64
"""Tokens that the repeat penalty looks back."""

_QUICK: Final = 2
"""Tokens; so few are evaluated without a look at the clock, which costs time at every node of the graph."""

_LONGEST_TOKEN: Final = 1024
"""Bytes."""

_MEMORY_SHARE: Final = 4
"""Of the memory that is free, one part in so many may hold the conversations of further sequences."""

_ABORTED: Final = 2
"""What `llama_decode` returns then."""

_COMPLAINT: Final = re.compile(r"\b(?:error|fail(?:ed|ure)?|invalid|unknown|unsupported)\b", re.IGNORECASE)

Logits = npt.NDArray[np.float32]


class Aborted(Exception):
    """An evaluation was ended early."""


class Context:
    """A loaded model with room for the tokens of several sequences: the first holds `settings.context` tokens, each
    further one adds `extra`. There are fewer than `wanted` where memory does not suffice.
    """

    def __init__(self, settings: LocalSettings, wanted: int, extra: int) -> None:
        """Raises `LoadError`."""
        set_verbose(False)
        llama_cpp.llama_backend_init()
        with _heard() as lines:
            self._model = llama_cpp.llama_model_load_from_file(settings.path.encode(), model_parameters())
            if not self._model:
                raise LoadError(f"llama.cpp cannot load it: {_reason(lines) or 'no reason given'}")
            recurrent = llama_cpp.llama_model_is_recurrent(self._model) or llama_cpp.llama_model_is_hybrid(self._model)
            self.cuttable = not recurrent
            self.sequences = self._affordable(wanted, extra) if self.cuttable else 1
            self.size = settings.context + (self.sequences - 1) * extra
            self._context = llama_cpp.llama_init_from_model(self._model, self._parameters(settings))
            if not self._context:
                raise LoadError(f"llama.cpp cannot load it: {_reason(lines) or 'no context can be made'}")
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self._words = llama_cpp.llama_vocab_n_tokens(self._vocabulary)
        self._batch = llama_cpp.llama_batch_init(BATCH, 0, 1)
        self._spare = np.empty(self._words, np.float32)
        self._over: Callable[[], bool] = bool
        self._abort = llama_cpp.ggml_abort_callback(lambda _: self._over())
        self._never = llama_cpp.ggml_abort_callback(0)
        weakref.finalize(self, _free, self._batch, self._context, self._model)

    def _parameters(self, settings: LocalSettings) -> Any:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = self.size
        parameters.n_batch = parameters.n_ubatch = BATCH
        parameters.n_seq_max = parameters.n_outputs_max = self.sequences
        parameters.kv_unified = True
        parameters.n_threads = parameters.n_threads_batch = settings.threads
        return parameters

    def _affordable(self, wanted: int, extra: int) -> int:
        heads = llama_cpp.llama_model_n_layer(self._model) * llama_cpp.llama_model_n_head_kv(self._model)
        token: int = 2 * heads * (self._length("key") + self._length("value"))
        return max(1, min(wanted, 1 + _free_memory() // _MEMORY_SHARE // max(1, token * extra)))

    def _length(self, part: str) -> int:
        """How many numbers a head keeps of a token."""
        buffer = ctypes.create_string_buffer(64)
        llama_cpp.llama_model_meta_val_str(self._model, b"general.architecture", buffer, 64)
        key = buffer.value + f".attention.{part}_length".encode()
        if llama_cpp.llama_model_meta_val_str(self._model, key, buffer, 64) > 0:
            return int(buffer.value)
        return int(llama_cpp.llama_model_n_embd(self._model) // llama_cpp.llama_model_n_head(self._model))

    # Texts

    def tokens(self, text: str, *, add_bos: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        size = len(data) + 2
        found = (llama_cpp.llama_token * size)()
        count = llama_cpp.llama_tokenize(self._vocabulary, data, len(data), found, size, add_bos, True)
        if count < 0:
            raise ValueError("the tokenizer makes more tokens than bytes")
        return found[:count]

    def piece(self, token: int) -> bytes:
        """The bytes of `token`; of control tokens, which are no words, only those that part thoughts from words."""
        buffer = ctypes.create_string_buffer(_LONGEST_TOKEN)
        if length := llama_cpp.llama_token_to_piece(self._vocabulary, token, buffer, _LONGEST_TOKEN, 0, False):
            return buffer.raw[: max(0, length)]
        length = llama_cpp.llama_token_to_piece(self._vocabulary, token, buffer, _LONGEST_TOKEN, 0, True)
        piece = buffer.raw[: max(0, length)]
        return piece if is_mark(piece.decode("utf-8", "ignore")) else b""

    def is_end(self, token: int) -> bool:
        return bool(llama_cpp.llama_vocab_is_eog(self._vocabulary, token))

    # Sequences

    def decode(self, parts: Sequence[tuple[int, int, Sequence[int]]], over: Callable[[], bool]) -> list[int]:
        """Evaluate sequences in one go: the number of each, how many tokens it holds, and those that follow. Returns
        for each where `logits` finds those behind its last token.

        Raises `Aborted` as soon as `over` says so, and `RuntimeError`; the sequences are as before then, or empty where
        they are not `cuttable`.
        """
        batch, rows, place = self._batch, [], 0
        for sequence, held, tokens in parts:
            for offset, token in enumerate(tokens):
                batch.token[place], batch.pos[place] = token, held + offset
                batch.n_seq_id[place], batch.seq_id[place][0] = 1, sequence
                batch.logits[place] = offset == len(tokens) - 1
                place += 1
            rows.append(place - 1)
        batch.n_tokens = place
        self._over = over
        watched = self._never if place <= _QUICK else self._abort
        llama_cpp.llama_set_abort_callback(self._context, watched, None)
        status = llama_cpp.llama_decode(self._context, batch)
        if status:
            for sequence, held, _ in parts:
                self.cut(sequence, held if self.cuttable else 0)
            if status == _ABORTED:
                raise Aborted
            raise RuntimeError(f"llama_decode returned {status}")
        return rows

    def logits(self, row: int) -> Logits:
        """They are llama.cpp's own until the next call of `decode`."""
        return np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self._context, row), shape=(self._words,))

    def log_probability(self, logits: Logits, token: int) -> float:
        """The logarithm of the softmax of `logits` at `token`, by log-sum-exp with the maximum taken out."""
        top = logits.max()
        np.exp(np.subtract(logits, top, out=self._spare), out=self._spare)
        return float(logits[token] - top) - math.log(float(self._spare.sum()))

    def cut(self, sequence: int, held: int) -> None:
        """Leave the first `held` tokens of a sequence, which must be none where it is not `cuttable`."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, held, -1)

    def copy(self, source: int, target: int, held: int) -> None:
        """Have the first tokens of one sequence stand in an empty one, too; no memory is copied."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, 0, held)

    def state(self, sequence: int) -> bytes:
        size = llama_cpp.llama_state_seq_get_size(self._context, sequence)
        buffer = (ctypes.c_uint8 * size)()
        written = llama_cpp.llama_state_seq_get_data(self._context, buffer, size, sequence)
        return bytes(buffer)[:written]

    def restore(self, sequence: int, state: memoryview) -> bool:
        """Whether llama.cpp took it."""
        buffer = (ctypes.c_uint8 * len(state)).from_buffer(state)
        taken = llama_cpp.llama_state_seq_set_data(self._context, buffer, len(state), sequence)
        return bool(taken == len(state))


class Sampler:
    """Chooses the tokens of one sequence. The repeat penalty and `top_k` come before llama.cpp's own samplers, which
    then look at few tokens; for those it would copy all of the vocabulary, which takes 3 ms where it is large.
    """

    def __init__(self, settings: LocalSettings, seed: int) -> None:
        self._settings = settings
        self._recent: deque[int] = deque(maxlen=_REPEATED)
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        weakref.finalize(self, llama_cpp.llama_sampler_free, self._chain)
        for sampler in (
            llama_cpp.llama_sampler_init_top_p(settings.top_p, 1),
            llama_cpp.llama_sampler_init_min_p(settings.min_p, 1),
            llama_cpp.llama_sampler_init_temp(settings.temperature),
            llama_cpp.llama_sampler_init_dist(seed),
        ):
            llama_cpp.llama_sampler_chain_add(self._chain, sampler)

    def choose(self, logits: Logits) -> int:
        """Changes `logits` where the penalty does, for as long as it looks at them."""
        recent = np.fromiter(set(self._recent), np.intp)
        kept = logits[recent]
        penalty = self._settings.repeat_penalty
        logits[recent] = np.where(kept <= 0, kept * penalty, kept / penalty)
        token = int(logits.argmax()) if self._settings.temperature == 0 else self._drawn(logits)
        logits[recent] = kept
        self._recent.append(token)
        return token

    def _drawn(self, logits: Logits) -> int:
        likeliest = _likeliest(logits, self._settings.top_k)
        size = len(likeliest)
        data = (llama_cpp.llama_token_data * size)(
            *((int(token), float(logits[token]), 0.0) for token in likeliest)  # type: ignore[misc]
        )
        array = llama_cpp.llama_token_data_array(data, size, -1, True)
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id)


def _likeliest(logits: Logits, count: int) -> npt.NDArray[np.intp]:
    """The tokens of the `count` largest logits, likeliest first."""
    near = np.flatnonzero(logits > logits.max() - 10)
    if len(near) < count:
        near = np.arange(len(logits))
    if len(near) > count:
        near = near[np.argpartition(-logits[near], count - 1)[:count]]
    return near[np.argsort(-logits[near], kind="stable")]


def model_parameters(defaults: Callable[[], Any] = llama_cpp.llama_model_default_params) -> Any:
    """Parameters for loading a model, which keep it from using AMX where llama.cpp was compiled for it.

    GCC before 14 drops the stores before `ldtilecfg`: what it makes of llama.cpp on such a processor dies of the first
    matrix.
    """
    parameters = defaults()
    parameters.n_gpu_layers = 0
    parameters.use_extra_bufts = b"AMX_INT8 = 1" not in llama_cpp.llama_print_system_info()
    return parameters


def _free(batch: Any, context: Any, model: Any) -> None:
    llama_cpp.llama_batch_free(batch)
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)


def _free_memory() -> int:
    """Bytes that this machine, or the group of this process, has free."""
    free = []
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        free.append(int(next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))) * 1024)
    with contextlib.suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        free.append(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    return max(0, min(free, default=0))


@contextlib.contextmanager
def _heard() -> Iterator[list[str]]:
    """The lines that llama.cpp logs meanwhile: its functions say only that they failed."""
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
