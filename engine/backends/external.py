"""What the external models share: the flow of one call, and their state.

A provider's module prepares an `Opening`: its secrets, and a `load` that imports the SDK and returns an `Asker`.
Everything that may block, loading included, is bounded by the deadline; nothing here retries, and `generate` raises
nothing but `BackendError`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Protocol

from engine.backends.bounded import Lazy
from engine.backends.credentials import SettingError
from engine.backends.settings import Settings, settings_of
from engine.backends.transport import trust
from engine.backends.wire import Call, under_way
from engine.model.deadline import Clock, Deadline
from engine.model.errors import Unavailable
from engine.model.plan import ModelRow
from engine.model.ports import LanguageModel, ModelStatus
from engine.model.text import clean
from engine.model.turn import Completion, Engine, Prompt

SDK_SLIPS = (ValueError, TypeError, LookupError, AttributeError, RecursionError, OSError)
"""What SDKs let through, besides their own errors, for input or answers of a shape they did not expect."""


class Asker(Protocol):
    """A provider's SDK, loaded. `ask` sends one request through the call under way and reads the answer; `errors` are
    the SDK's own.
    """

    @property
    def errors(self) -> tuple[type[Exception], ...]: ...
    def ask(self, prompt: Prompt, deadline: Deadline) -> Completion: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How to load an SDK; `secrets` are the values that no error may show."""

    load: Callable[[], Asker]
    secrets: tuple[str, ...] = field(repr=False)


def open_external(row: ModelRow, prepare: Callable[[Settings], Opening]) -> LanguageModel:
    """A model for `row`; a closed one where the row, or what `prepare` needs, is wrong."""
    try:
        settings = settings_of(row)
        opening = prepare(settings)
    except SettingError as error:
        return ClosedModel(row, str(error))
    return ExternalModel(row, opening)


class ExternalModel:
    """A `LanguageModel` at a provider: idle until it is asked first or warmed up."""

    engine: Engine = "external"

    def __init__(self, row: ModelRow, opening: Opening, *, clock: Clock = time.monotonic) -> None:
        self._backend = row.backend
        self._model = str(row.settings["model"])
        self._secrets = opening.secrets
        self._asker = Lazy(lambda: _with_trust(opening.load), name=f"misaki-load-{row.backend}", clock=clock)

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:
        began = deadline.clock()
        asker = self._load(deadline)
        call = Call(backend=self._backend, deadline=deadline, secrets=self._secrets)
        caught: tuple[type[Exception], ...] = (*asker.errors, *SDK_SLIPS)
        try:
            with under_way(call):
                completion = asker.ask(prompt, deadline)
        except caught:
            raise call.explain() from None
        return replace(completion, text=clean(completion.text), seconds=deadline.clock() - began)

    def warm(self) -> Future[Asker]:
        """Begin to import the SDK; the future is for those who want to wait for it."""
        return self._asker.start()

    def status(self) -> ModelStatus:
        data = {"backend": self._backend, "model": self._model}
        future = self._asker.peek()
        if future is None:
            return ModelStatus(state="idle", detail=self._model, data=data)
        if not future.done():
            return ModelStatus(state="loading", detail=self._model, data=data)
        if (error := future.exception()) is not None:
            return ModelStatus(state="unavailable", detail=self._why(error), data=data)
        return ModelStatus(state="ready", detail=self._model, data=data)

    def close(self) -> None:
        """Nothing stays open between calls."""

    def _load(self, deadline: Deadline) -> Asker:
        try:
            return self._asker.get(deadline)
        except TimeoutError:
            # Not the provider's fault: a time-out would count against it.
            message = f"the SDK of {self._backend} was not loaded before the deadline"
            raise Unavailable(message, backend=self._backend) from None
        except (SettingError, ImportError, *SDK_SLIPS) as error:
            raise Unavailable(self._why(error), backend=self._backend) from None

    def _why(self, error: BaseException) -> str:
        if isinstance(error, SettingError):
            return str(error)
        return f"the SDK of {self._backend} does not load: install the package's `external` extra"


def _with_trust(load: Callable[[], Asker]) -> Asker:
    """Certificates are read along with the SDK, so that the first call need not."""
    trust()
    return load()


class ClosedModel:
    """A `LanguageModel` that a wrong or missing setting keeps shut; `problem` says which, and what to do."""

    engine: Engine = "external"

    def __init__(self, row: ModelRow, problem: str) -> None:
        self._row = row
        self._problem = problem

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:  # noqa: ARG002 — the port's shape
        raise Unavailable(self._problem, backend=self._row.backend)

    def status(self) -> ModelStatus:
        data = {"backend": self._row.backend, "model": self._row.settings.get("model")}
        return ModelStatus(state="unavailable", detail=self._problem, data=data)

    def close(self) -> None:
        """Nothing was opened."""
