"""A model that says what it was given to say: for tests, golden conversations, and pipelines tried out without a
model.

It knows no clock but the one it is handed: an answer that would take longer than the turn has left is `TimedOut` at
once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from engine.core.deadline import Deadline
from engine.core.errors import (
    AuthFailed,
    BackendError,
    BadRequest,
    ContextTooLong,
    RateLimited,
    Refused,
    TimedOut,
    Unavailable,
)
from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel, ModelStatus
from engine.core.record import record
from engine.core.turn import Completion, Engine, Prompt
from engine.models.closed import ClosedModel

NAME: Final = "scripted"

ERRORS: Final[Mapping[str, type[BackendError]]] = {
    kind.__name__: kind
    for kind in (AuthFailed, BadRequest, ContextTooLong, RateLimited, Refused, TimedOut, Unavailable)
}
"""What an `error:` in a golden conversation may name."""


@record
class Answer:
    """What happens when the model is asked; `seconds` is how long it takes."""

    result: Completion | BackendError
    seconds: float = 0.0


class ScriptedModel:
    """Gives its answers in turn; `spend` is told how many seconds each took."""

    def __init__(
        self, script: Sequence[Answer], *, engine: Engine = "local", spend: Callable[[float], None] = lambda _: None
    ) -> None:
        self._script, self._engine, self._spend = script, engine, spend
        self._lock = threading.Lock()
        self._given = 0

    @property
    def engine(self) -> Engine:
        return self._engine

    def generate(self, _prompt: Prompt, deadline: Deadline) -> Completion:
        """Raises the error that stands in the script, and `Unavailable` where the script is at its end."""
        with self._lock:
            if self._given == len(self._script):
                raise Unavailable("the script is at its end", backend=NAME)
            answer = self._script[self._given]
            self._given += 1
        if answer.seconds >= deadline.remaining():
            self._spend(deadline.remaining())
            raise TimedOut("the scripted answer takes longer than the turn", backend=NAME, retryable=True)
        self._spend(answer.seconds)
        if isinstance(answer.result, BackendError):
            raise answer.result
        return answer.result

    def status(self) -> ModelStatus:
        return ModelStatus(state="ready", detail=f"a script of {len(self._script)} answers")

    def close(self) -> None:
        """Nothing is open."""


def open_model(row: ModelRow, _env: Mapping[str, str]) -> LanguageModel:
    """`answers` is a list of texts."""
    if row.misconfigured is not None:
        return ClosedModel(engine="local", backend=NAME, problem=row.misconfigured)
    answers = row.settings.get("answers")
    texts = answers if isinstance(answers, tuple) else ()
    return ScriptedModel(
        [Answer(result=Completion(text=str(text), finish_reason="stop", model=row.id)) for text in texts]
    )
