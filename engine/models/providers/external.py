"""A model at a provider, as the engine sees it: opened in no time, loaded when first asked, bounded in all it does.

Whatever may block, loading included, ends at the deadline; nothing here retries, and `generate` raises nothing but
`BackendError`. A model that stays idle costs a cold start next to nothing: HTTP, TLS and the SDK are loaded together,
in a thread of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.concurrency import Lazy
from engine.core.deadline import Clock, Deadline
from engine.core.errors import BackendError, Unavailable
from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel, ModelStatus
from engine.core.turn import Completion, Engine, Piece, Prompt
from engine.models.closed import ClosedModel
from engine.models.providers.asker import SDK_SLIPS, Opening
from engine.models.providers.row import Settings, settings_of
from engine.models.settings import SettingError

if TYPE_CHECKING:
    from engine.models.providers.caller import Caller


def open_external(row: ModelRow, prepare: Callable[[Settings], Opening]) -> LanguageModel:
    """A model for `row`; a closed one where the row, or what `prepare` needs, is wrong."""
    try:
        opening = prepare(settings_of(row))
    except SettingError as error:
        return ClosedModel(engine="external", backend=row.backend, problem=str(error))
    return ExternalModel(row, opening)


class ExternalModel:
    """A `LanguageModel` at a provider: idle until it is asked first or warmed up."""

    engine: Engine = "external"

    def __init__(self, row: ModelRow, opening: Opening, *, clock: Clock = time.monotonic) -> None:
        self._backend = row.backend
        self._model = str(row.settings["model"])
        self._caller = Lazy(lambda: _load(opening, row.backend), name=f"misaki-load-{row.backend}", clock=clock)

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:
        began = deadline.clock()
        with self._named():
            completion = self._loaded(deadline).ask(prompt, deadline)
        return replace(completion, seconds=deadline.clock() - began)

    def stream(self, prompt: Prompt, deadline: Deadline) -> Generator[Piece, None, Completion]:
        """The answer sentence by sentence; raises as `generate` does."""
        began = deadline.clock()
        with self._named():
            completion = yield from self._loaded(deadline).stream(prompt, deadline)
        return replace(completion, seconds=deadline.clock() - began)

    def warm(self) -> Future[Caller]:
        """Begin to load the SDK; the future is for those who want to wait for it."""
        return self._caller.start()

    def prepare(self, _prompt: Prompt) -> None:
        """Load the SDK while another model is asked; every prompt needs the same."""
        with suppress(RuntimeError):  # the system has no thread to give
            self.warm()

    def status(self) -> ModelStatus:
        data = {"backend": self._backend, "model": self._model}
        future = self._caller.peek()
        if future is None:
            return ModelStatus(state="idle", detail=self._model, data=data)
        if not future.done():
            return ModelStatus(state="loading", detail=self._model, data=data)
        if (error := future.exception()) is not None:
            return ModelStatus(state="unavailable", detail=self._why(error), data=data)
        return ModelStatus(state="ready", detail=self._model, data=data)

    def close(self) -> None:
        """Nothing stays open between calls."""

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except BackendError as error:
            error.model = self._model
            raise

    def _loaded(self, deadline: Deadline) -> Caller:
        try:
            return self._caller.get(deadline)
        except TimeoutError:
            # Not the provider's fault: a time-out would count against it.
            message = f"the SDK of {self._backend} was not loaded before the deadline"
            raise Unavailable(message, backend=self._backend, called=False) from None
        except (SettingError, ImportError, *SDK_SLIPS) as error:
            raise Unavailable(self._why(error.with_traceback(None)), backend=self._backend, called=False) from None

    def _why(self, error: BaseException) -> str:
        if isinstance(error, SettingError):
            return str(error)
        return f"the SDK of {self._backend} does not load: install the package's `external` extra"


def _load(opening: Opening, backend: str) -> Caller:
    from engine.models.providers.caller import load

    return load(opening, backend)
