"""Puts together an answer that comes as a stream, and tells which of its sentences are certainly for the user.

It is looked at not after each chunk but as the text grows, so that a long answer costs little more than a short one for
its length. Knows no SDK.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from engine.core.errors import Malformed
from engine.core.turn import Completion, FinishReason
from engine.models.providers.asker import Chunk
from engine.models.providers.row import Settings
from engine.models.spoken import begins_in_thought, certain
from engine.text.cleaning import clean
from engine.text.sentences import sentences

ANSWER_LIMIT = 50_000
"""Characters of an answer. It goes out three times, with six bytes for a character where it is escaped, and a load
balancer takes 1 MB from Lambda.
"""
_RAW_LIMIT = 4 * ANSWER_LIMIT
"""Characters of an answer with its thoughts."""
_GROWTH = 50
"""A text is looked at again when it has grown by a part in so many."""

_THINKERS = re.compile(
    r"think|reason|deepseek-?r1|\br1\b|qwq|qwen-?3|magistral|gpt-oss|glm-4\.[5-9]|minimax-m|nemotron|seed-oss|exaone-deep",
    re.IGNORECASE,
)
"""Models of which some servers pass on thoughts without the mark at their beginning."""

_found_thinking: set[tuple[str, str]] = set()
"""By backend and model: those that were found to do so in this process."""


class Coming:
    """An answer of a model as far as it has come."""

    def __init__(self, model: str, backend: str) -> None:
        self._model, self._backend = model, backend
        self._text, self._seen = "", 0
        self._logs: list[Any] = []
        self._refused = False
        self._prompt_tokens: int | None = None
        self._tokens: int | None = None
        self.ended: FinishReason | None = None

    def add(self, chunk: Chunk) -> bool:
        """Whether the text is worth another look; raises `Malformed` where it is longer than answers are."""
        self._prompt_tokens = self._prompt_tokens if chunk.prompt_tokens is None else chunk.prompt_tokens
        self._tokens = self._tokens if chunk.tokens is None else chunk.tokens
        if self.ended is None:
            self._text += chunk.text
            self._logs += chunk.logs
            self._refused = self._refused or chunk.refused
            self.ended = chunk.ended
        if len(self._text) > _RAW_LIMIT:
            raise too_long(self._backend)
        if self._refused or self.ended or len(self._text) < self._seen + max(1, self._seen // _GROWTH):
            return False
        self._seen = len(self._text)
        return True

    def sentences(self, *, thinks: bool) -> str:
        """The sentences that are certain to be meant for the user."""
        text = certain(clean(self._text), thinks=thinks)
        if len(text) > ANSWER_LIMIT:
            raise too_long(self._backend)
        return "".join(sentences(text)[:-1])

    @property
    def is_complete(self) -> bool:
        """Whether it is over, and its tokens are counted."""
        return self.ended is not None and self._tokens is not None

    @property
    def confidence(self) -> float | None:
        return mean_probability(self._logs)

    def whole(self) -> Completion:
        return Completion(
            text=self._text,
            finish_reason="refusal" if self._refused else self.ended or "stop",
            model=self._model,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._tokens,
            confidence=self.confidence,
        )


def is_thinker(backend: str, settings: Settings) -> bool:
    """Whether a model may think aloud without saying so."""
    known = (backend, settings.model) in _found_thinking
    return bool(settings.thinking) or known or bool(_THINKERS.search(settings.model))


def note_thoughts(backend: str, model: str, text: str) -> None:
    """Remember a model whose answer ends a thought that never began, so that it is not told again as it comes."""
    if begins_in_thought(text):
        _found_thinking.add((backend, model))


def mean_probability(logs: Sequence[Any]) -> float | None:
    """The geometric mean probability of tokens, exp(mean(log p)); `None` where one has no number, or there are none."""
    numbers = [float(one) for one in logs if isinstance(one, int | float) and not math.isnan(one)]
    if not numbers or len(numbers) != len(logs):
        return None
    return min(1.0, math.exp(math.fsum(numbers) / len(numbers)))


def too_long(backend: str) -> Malformed:
    return Malformed(f"the answer of {backend} is longer than {ANSWER_LIMIT} characters", backend=backend)
