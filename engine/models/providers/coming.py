"""Answers that come in pieces: put together, told while they come, and whole only where they say that they are.

Knows no SDK: an asker makes its chunks into pieces. What a listener hears is what is certain to be meant for the user,
and not after each piece but as the text grows, so that a long answer costs no more than a short one for its length.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from engine.core.errors import BackendError, Malformed
from engine.core.ports import Hearing
from engine.core.record import record, replace
from engine.core.turn import Completion, FinishReason
from engine.models.providers.asker import Hear
from engine.models.providers.row import Settings
from engine.models.spoken import begins_in_thought, certain
from engine.text.cleaning import clean

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


@record
class Piece:
    """A part of an answer. `ended` is there in the last one that has words; tokens are counted where they are known,
    and `logs` are the logarithms of the probabilities of its own.
    """

    text: str = ""
    refused: bool = False
    ended: FinishReason | None = None
    logs: Sequence[Any] = ()
    prompt_tokens: int | None = None
    tokens: int | None = None


class Coming:
    """An answer of `model` as far as it has come."""

    def __init__(self, model: str, backend: str) -> None:
        from engine.models.http.wire import current  # noqa: PLC0415  HTTP is loaded for a call

        self._model, self._backend, self._call = model, backend, current()
        self._text, self._heard = "", 0
        self._logs: list[Any] = []
        self._ended: FinishReason | None = None
        self._refused = False
        self._prompt_tokens: int | None = None
        self._tokens: int | None = None

    def follow(self, pieces: Iterable[Piece], hear: Hear, errors: tuple[type[Exception], ...]) -> Completion:
        """The whole answer, told to `hear` while it comes; `interrupted` where that wants no more.

        Raises `Malformed` where it is cut off before it says that it is over, or too long. What goes wrong behind its
        end costs no more than the count of its tokens.
        """
        caught: tuple[type[Exception], ...] = (BackendError, *errors)
        try:
            for piece in pieces:
                self._add(piece)
                if self._is_news() and not hear(self._so_far("stop")):
                    return self._so_far("interrupted")
        except caught:
            if self._ended is None:
                raise
        if self._ended is None and not self._call.ended:
            message = f"the answer of {self._backend} was cut off"
            raise Malformed(message, backend=self._backend, status=200, retryable=True)
        return self._so_far("refusal" if self._refused else self._ended or "stop")

    def _add(self, piece: Piece) -> None:
        self._prompt_tokens = self._prompt_tokens if piece.prompt_tokens is None else piece.prompt_tokens
        self._tokens = self._tokens if piece.tokens is None else piece.tokens
        if self._ended is not None:
            return
        self._text += piece.text
        self._logs += piece.logs
        self._refused = self._refused or piece.refused
        self._ended = piece.ended
        if self._ended is not None:
            self._call.hurry()
        if len(self._text) > _RAW_LIMIT:
            raise too_long(self._backend)

    def _is_news(self) -> bool:
        if self._refused or self._ended or len(self._text) < self._heard + max(1, self._heard // _GROWTH):
            return False
        self._heard = len(self._text)
        return True

    def _so_far(self, ended: FinishReason) -> Completion:
        return Completion(
            text=self._text,
            finish_reason=ended,
            model=self._model,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._tokens,
            confidence=mean_probability(self._logs),
        )


def listener(hearing: Hearing, backend: str, settings: Settings) -> Hear:
    """Passes on to `hearing` what is certain of an answer."""
    model = settings.model
    thinks = settings.thinking or bool(_THINKERS.search(model)) or (backend, model) in _found_thinking

    def hear(so_far: Completion) -> bool:
        text = certain(clean(so_far.text), thinks=thinks)
        if len(text) > ANSWER_LIMIT:
            raise too_long(backend)
        return not text or hearing.hear(replace(so_far, text=text))

    return hear


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
