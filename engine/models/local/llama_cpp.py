"""llama.cpp: answers several guests at once. Runs in the worker process only: it may abort, and it is not thread-safe.

Each answer is a generator that is resumed between two steps; a step evaluates in one go what all of them want next. A
sequence keeps what it holds when its answer is done, and the next prompt that begins alike takes it up or has it
copied, so that the persona is read once for all guests. What the guests before it left decides where a prompt is split,
and other splits change the last bits of its probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from pathlib import Path
from random import SystemRandom
from typing import Final, Literal

import llama_cpp

from engine.models.local.llama_context import BATCH, Aborted, Context, Sampler
from engine.models.local.worker.gguf import Metadata
from engine.models.local.worker.inference import DoesNotFit, Generation, OutOfTime, Request
from engine.models.local.worker.start import PERSONA_SHARE, LocalSettings
from engine.models.local.worker.states import StateStore, default_folders, scope_of
from engine.models.local.worker.stream import Stream

FinishReason = Literal["stop", "length", "deadline"]

NAME: Final = "llama.cpp"

_WORTH_KEEPING: Final = 64
"""Tokens; a shorter beginning is evaluated as fast as it is read."""

_SMALLEST_CHUNK: Final = 16
"""Tokens; so few take hardly longer than one."""

_SHARED_CHUNK: Final = 128
"""Tokens of prompts in a step that others wait for."""


def load(settings: LocalSettings, metadata: Metadata) -> LlamaCpp:
    """Load the file of `settings`; raises `LoadError`."""
    wanted = max(settings.parallel, settings.best_of)
    # Beside the persona, which all share, a guest's own words, and some for the persona of another prompt.
    own = settings.context - int((settings.context - settings.max_tokens) * PERSONA_SHARE)
    context = Context(settings, wanted, own)
    path = Path(settings.path)
    scope = scope_of(path, llama_cpp.__version__, settings.context, BATCH)
    # Whoever may replace the model need not plant states.
    states = StateStore(default_folders(path, settings.cache), scope, frozenset({path.stat().st_uid}))
    return LlamaCpp(context, settings, metadata.bos, states)


@dataclass(slots=True, eq=False)
class _Sequence:
    """`tokens` are evaluated, in `cells` that copies share; `pending` come next. `owner` is the request that is being
    answered and `prompt` its tokens; `row` is where the last logits are.
    """

    id: int
    tokens: list[int] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    owner: Request | None = None
    prompt: list[int] = field(default_factory=list)
    row: int = 0
    used: int = 0

    @property
    def promised(self) -> int:
        """Tokens that its answer may still take."""
        return len(self.prompt) + self.owner.max_tokens - len(self.tokens) if self.owner else 0


class LlamaCpp:
    """One loaded model."""

    def __init__(self, context: Context, settings: LocalSettings, bos: str, states: StateStore) -> None:
        self._context, self._settings, self._bos, self._states = context, settings, bos, states
        self._sequences = [_Sequence(number) for number in range(context.sequences)]
        self._random = SystemRandom()
        self._tokens = lru_cache(maxsize=4 * len(self._sequences))(self._tokenised)
        self._numbers = count()
        self._chunk = BATCH

    @property
    def version(self) -> str:
        return f"{NAME} {llama_cpp.__version__}"

    @property
    def parallel(self) -> int:
        return len(self._sequences)

    def count(self, text: str) -> int:
        return len(self._tokens(text))

    def prepare(self, request: Request) -> Generator[None]:
        tokens = self._tokens(request.text)
        tokens = tokens[: self._length_of(request.text[: request.prefix], tokens)]
        sequence = yield from self._seat(tokens, request)
        try:
            yield from self._read(sequence, tokens, len(tokens), request)
        finally:
            self._leave(sequence)

    def generate(self, request: Request) -> Generator[None, None, Generation]:
        tokens = self._tokens(request.text)
        if len(tokens) + request.max_tokens > self._settings.context:
            raise DoesNotFit
        sequence = yield from self._seat(tokens, request)
        try:
            prefix = self._length_of(request.text[: request.prefix], tokens[:-1])
            yield from self._read(sequence, tokens, prefix, request)
            return (yield from self._write(sequence, len(tokens), request))
        finally:
            self._leave(sequence)

    def step(self) -> None:
        """Evaluate what the answers under way want next. Raises `RuntimeError`, after which they cannot go on."""
        parts = self._parts()
        if not parts:
            return
        # Also of those who are not in this step: who leaves frees a place.
        over = [sequence.owner.over for sequence in self._sequences if sequence.owner]
        try:
            rows = self._context.decode(
                [(sequence.id, len(sequence.tokens), tokens) for sequence, tokens in parts],
                lambda: any(is_over() for is_over in over),
            )
        except (Aborted, RuntimeError) as error:
            if not self._context.cuttable:
                for sequence, _ in parts:
                    sequence.pending[:0] = sequence.tokens
                    sequence.tokens, sequence.cells = [], []
            if isinstance(error, RuntimeError):
                raise
            # Turns with little time get further with less in each step.
            self._chunk = max(_SMALLEST_CHUNK, self._chunk // 2)
            return
        for (sequence, tokens), row in zip(parts, rows, strict=True):
            sequence.tokens += tokens
            sequence.cells += (next(self._numbers) for _ in tokens)
            sequence.row = row
            del sequence.pending[: len(tokens)]
        if any(len(tokens) > 1 for _, tokens in parts):
            self._chunk = min(BATCH, self._chunk * 2)

    def _parts(self) -> list[tuple[_Sequence, list[int]]]:
        """The next token of each answer, and some of the prompts: of the oldest first, and last of those that are read
        ahead.
        """
        wanting = [sequence for sequence in self._sequences if sequence.pending]
        parts = [(sequence, sequence.pending[:1]) for sequence in wanting if len(sequence.pending) == 1]
        reading = [sequence for sequence in wanting if len(sequence.pending) > 1]
        reading.sort(key=lambda one: (one.owner is not None and one.owner.max_tokens == 0, one.used))
        room = self._chunk if len(wanting) == 1 else min(self._chunk, _SHARED_CHUNK)
        for sequence in reading:
            if room > 0:
                parts.append((sequence, sequence.pending[:room]))
                room -= len(sequence.pending[:room])
        return parts

    # An answer

    def _seat(self, tokens: list[int], request: Request) -> Generator[None, None, _Sequence]:
        """A sequence that holds as much of the prompt as any does; waits for one. Raises `OutOfTime`."""
        while not request.over():
            if (sequence := self._free(tokens, len(tokens) + request.max_tokens)) is not None:
                sequence.owner, sequence.prompt, sequence.used = request, tokens, next(self._numbers)
                return sequence
            yield
        raise OutOfTime

    def _free(self, tokens: list[int], limit: int) -> _Sequence | None:
        idle = [sequence for sequence in self._sequences if sequence.owner is None]
        source = max(self._sequences, key=lambda sequence: (self._shared(sequence, tokens), sequence.owner is None))
        shared = self._shared(source, tokens)
        if not idle or self._is_being_read(tokens, shared):
            return None
        others = sorted((one for one in idle if one is not source), key=lambda one: (len(one.tokens) > 0, one.used))
        target = source if source.owner is None else others.pop(0)
        while not self._fits(limit - shared, target, source, shared):
            if not others:
                return None
            self._cut(others.pop(0), 0)
        if target is source:
            self._cut(source, shared)
        else:
            self._cut(target, 0)
            self._context.copy(source.id, target.id, shared)
            target.tokens, target.cells = source.tokens[:shared], source.cells[:shared]
        return target

    def _shared(self, sequence: _Sequence, tokens: list[int]) -> int:
        """How many tokens of a prompt need not be evaluated again; its last one gives the first probabilities."""
        shared = _common(sequence.tokens, tokens[:-1])
        if self._context.cuttable or (sequence.owner is None and shared == len(sequence.tokens)):
            return shared
        return 0

    def _is_being_read(self, tokens: list[int], shared: int) -> bool:
        """Whether more of these tokens are just being read for another."""
        reading = [one for one in self._sequences if one.owner and len(one.tokens) < len(one.prompt)]
        return any(_common(one.prompt, tokens[:-1]) > shared + _SMALLEST_CHUNK for one in reading)

    def _fits(self, wanted: int, target: _Sequence, source: _Sequence, shared: int) -> bool:
        """Whether so many tokens have room beside what is held and what those who are being answered may still take."""
        held = {cell for one in self._sequences if one is not target for cell in one.cells}
        held.update(source.cells[:shared])
        return len(held) + sum(one.promised for one in self._sequences) + wanted <= self._context.size

    def _read(self, sequence: _Sequence, tokens: list[int], prefix: int, request: Request) -> Generator[None]:
        """Have all tokens evaluated; the first `prefix` may lie in the store, or go there. Raises `OutOfTime`."""
        is_wanting = self._context.cuttable and prefix >= _WORTH_KEEPING and len(sequence.tokens) < prefix
        if is_wanting and not self._restore(sequence, tokens[:prefix]):
            yield from self._evaluate(sequence, tokens[:prefix], request)
            self._states.keep(tokens[:prefix], self._context.state(sequence.id))
        yield from self._evaluate(sequence, tokens, request)

    def _evaluate(self, sequence: _Sequence, tokens: list[int], request: Request) -> Generator[None]:
        sequence.pending = tokens[len(sequence.tokens) :]
        while sequence.pending:
            yield
            if sequence.pending and request.over():
                raise OutOfTime

    def _write(self, sequence: _Sequence, read: int, request: Request) -> Generator[None, None, Generation]:
        seed = self._random.getrandbits(31) if self._settings.seed is None else self._settings.seed + request.attempt
        sampler, stream = Sampler(self._settings, seed % 2**32), Stream(request.stop)
        logs: list[float] = []
        reason: FinishReason | None = None
        while reason is None:
            logits = self._context.logits(sequence.row)
            token = sampler.choose(logits)
            logs.append(self._context.log_probability(logits, token))
            if self._context.is_end(token) or stream.add(self._context.piece(token)):
                reason = "stop"
            elif len(logs) >= request.max_tokens:
                reason = "length"
            else:
                request.on_text(stream, math.exp(sum(logs) / len(logs)))
                sequence.pending = [token]
            while sequence.pending and reason is None:
                if request.over():
                    reason = "deadline"
                else:
                    yield
        return Generation(
            text=stream.text(),
            finish_reason=reason,
            prompt_tokens=read,
            completion_tokens=len(logs) - (reason == "stop"),
            confidence=math.exp(sum(logs) / len(logs)),
        )

    def _leave(self, sequence: _Sequence) -> None:
        sequence.pending, sequence.owner = [], None

    # What sequences hold

    def _restore(self, sequence: _Sequence, tokens: list[int]) -> bool:
        state = self._states.find(tokens)
        if state is None:
            return False
        self._cut(sequence, 0)
        if not self._context.restore(sequence.id, state):
            self._context.cut(sequence.id, 0)
            # With others beside it, what is lacking may be room in one piece.
            if not any(one.tokens for one in self._sequences):
                self._states.discard(tokens)
            return False
        sequence.tokens, sequence.cells = list(tokens), [next(self._numbers) for _ in tokens]
        return True

    def _cut(self, sequence: _Sequence, held: int) -> None:
        if len(sequence.tokens) > held:
            self._context.cut(sequence.id, held)
            del sequence.tokens[held:], sequence.cells[held:]

    def _tokenised(self, text: str) -> list[int]:
        begun = bool(self._bos) and text.startswith(self._bos)
        return self._context.tokens(text, add_bos=not begun)

    def _length_of(self, beginning: str, tokens: list[int]) -> int:
        """How many of `tokens` stand for `beginning`: at its end, a token may reach over into what follows."""
        return _common(tokens, self._tokens(beginning))


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))
