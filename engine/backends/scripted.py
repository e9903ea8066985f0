"""A model that says what it was given to say: for tests, golden conversations, and pipelines tried out without a
model.

It knows no clock but the one it is handed: an answer that would take longer than the turn has left is `TimedOut` at
once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Union

from engine.model.deadline import Deadline
from engine.model.errors import (
    AuthFailed,
    BackendError,
    BadRequest,
    ContextTooLong,
    RateLimited,
    Refused,
    TimedOut,
    Unavailable,
)
from engine.model.plan import ModelRow
from engine.model.ports import LanguageModel, ModelStatus
from engine.model.record import record
from engine.model.turn import Completion, Engine, Prompt

NAME: Final = "scripted"

ERRORS: Final[Mapping[str, type[BackendError]]] = {
    kind.__name__: kind
    for kind in (AuthFailed, BadRequest, ContextTooLong, RateLimited, Refused, TimedOut, Unavailable)
}
"""What an `error:` in a script may name."""


@record
class Answer:
    """What happens when the model is asked; `seconds` is how long it takes."""

    result: Completion | BackendError
    seconds: float = 0.0


Script = Union[Sequence[Answer], Mapping[str, Answer]]
"""Answers in turn, or by the user's text, where `*` answers every other text."""


class ScriptedModel:
    """Plays a script; `prompts` keeps what it was asked. `spend` is told how many seconds an answer took."""

    def __init__(
        self, script: Script, *, engine: Engine = "local", spend: Callable[[float], None] = lambda _: None
    ) -> None:
        self._script, self._engine, self._spend = script, engine, spend
        self._lock = threading.Lock()
        self.prompts: list[Prompt] = []
        self.closed = False

    @property
    def engine(self) -> Engine:
        return self._engine

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:
        """Raises the error that stands in the script, and `Unavailable` where the script is at its end."""
        with self._lock:
            answer = self._answer(prompt.text)
            self.prompts.append(prompt)
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
        self.closed = True

    def _answer(self, text: str) -> Answer:
        if isinstance(self._script, Mapping):
            found = self._script.get(text, self._script.get("*"))
        else:
            found = self._script[len(self.prompts)] if len(self.prompts) < len(self._script) else None
        if found is None:
            raise Unavailable("the script has no answer to this", backend=NAME)
        return found


def open_model(row: ModelRow, _env: Mapping[str, str]) -> LanguageModel:
    """`answers` is one text, a list, or a mapping from the user's text; each entry a text, or a mapping with `text`
    and fields of a completion, or with `error` (a name of `ERRORS`) and `message`, and optionally `seconds`.
    """
    problem = row.misconfigured
    try:
        script = _script(row.settings.get("answers"), row.id)
    except ValueError as error:
        script, problem = [], problem or f"model `{row.id}`: {error}"
    if problem:
        script = {"*": Answer(result=Unavailable(problem, backend=NAME))}
    return ScriptedModel(script)


def _script(answers: Any, model: str) -> Script:
    if isinstance(answers, Mapping):
        return {str(text): _entry(entry, model) for text, entry in answers.items()}
    if isinstance(answers, Sequence) and not isinstance(answers, str):
        return [_entry(entry, model) for entry in answers]
    return {"*": _entry(answers, model)}


def _entry(entry: Any, model: str) -> Answer:
    if isinstance(entry, str):
        return Answer(result=Completion(text=entry, finish_reason="stop", model=model))
    if not isinstance(entry, Mapping):
        raise ValueError("an entry of `answers` is neither a text nor a mapping")  # noqa: TRY004 - the editor's value
    fields = {str(key): value for key, value in entry.items()}
    seconds = float(fields.pop("seconds", 0.0))
    name = fields.pop("error", None)
    if name is None:
        return Answer(result=_completion(fields, model), seconds=seconds)
    if name not in ERRORS:
        raise ValueError(f"`error` is `{name}`; give one of {', '.join(sorted(ERRORS))}")
    return Answer(result=ERRORS[name](str(fields.get("message", "scripted")), backend=NAME), seconds=seconds)


def _completion(fields: dict[str, Any], model: str) -> Completion:
    try:
        return Completion(**{"text": "", "finish_reason": "stop", "model": model, **fields})
    except TypeError as error:
        raise ValueError("`answers` holds a key that no completion has") from error
