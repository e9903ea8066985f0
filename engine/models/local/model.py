"""A local model as the engine sees it: the parent's side, which checks the settings and puts the worker's answers
into words.

Nothing native is imported here. The worker starts when the model is opened and loads in the background; whatever
goes wrong is a typed error at the turn that meets it, never an exception at opening.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import cast

from engine.core.deadline import Deadline
from engine.core.errors import BackendError, ContextTooLong, Malformed, TimedOut, Unavailable
from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel, ModelStatus
from engine.core.record import record, replace
from engine.core.turn import Completion, Engine, Piece, Prompt
from engine.models.closed import ClosedModel
from engine.models.local.settings import read_settings
from engine.models.local.worker.child import worker_command
from engine.models.local.worker.protocol import Message
from engine.models.local.worker.start import ENGINES, LocalSettings, persona_of, prompt_to_json, settings_to_json
from engine.models.local.worker.supervisor import Report, Supervisor
from engine.models.settings import SettingError
from engine.text.cleaning import clean


def open_model(row: ModelRow, env: Mapping[str, str]) -> LanguageModel:
    """Start the worker of `row` in the background; a row that cannot work gives a model that says why."""
    try:
        settings = read_settings(row, env)
        engines = _engines(row)
    except SettingError as error:
        return ClosedModel(engine="local", backend=row.backend, problem=str(error))
    order = {"op": "load", "settings": settings_to_json(settings)}
    return LocalModel(row, settings, Supervisor(worker_command(env), engines, order))


def _engines(row: ModelRow) -> tuple[str, ...]:
    wanted = tuple(ENGINES) if row.backend == "auto" else (row.backend,)
    installed = tuple(engine for engine in wanted if PathFinder.find_spec(ENGINES[engine]) is not None)
    if not installed:
        raise SettingError(
            f"model `{row.id}`: {' and '.join(wanted)} not installed; install this package with its `local` extra"
        )
    return installed


@record(kw_only=False)
class LocalModel:
    """A model in a worker process."""

    row: ModelRow
    settings: LocalSettings
    supervisor: Supervisor
    engine: Engine = "local"

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:
        """Raises `Unavailable`, `TimedOut` and `ContextTooLong`; waits for a model that is loading, by the
        deadline.
        """
        answering = self._answering(prompt, deadline, stream=False)
        while True:
            try:
                next(answering)
            except StopIteration as end:
                return cast("Completion", end.value)

    def stream(self, prompt: Prompt, deadline: Deadline) -> Generator[Piece, None, Completion]:
        """The answer sentence by sentence. Raises as `generate` does, and `Malformed` for one that takes back what it
        said, as with a thought that nothing opened.
        """
        said = ""
        with contextlib.closing(self._answering(prompt, deadline, stream=True)) as answering:
            while True:
                try:
                    message = next(answering)
                except StopIteration as end:
                    completion: Completion = end.value
                    break
                text = clean(message["text"])
                if len(text) > len(said) and text.startswith(said):
                    yield Piece(text=text[len(said) :], confidence=message["confidence"])
                    said = text
        if not completion.text.startswith(said):
            raise Malformed("the model took back what it had said", backend=self.row.backend)
        if completion.text != said:
            yield Piece(text=completion.text[len(said) :], confidence=completion.confidence)
        return completion

    def _answering(self, prompt: Prompt, deadline: Deadline, *, stream: bool) -> Generator[Message, None, Completion]:
        started = deadline.clock()
        if self.supervisor.busy:
            # They are read for this guest alone, and all others would wait for it.
            prompt = replace(prompt, near=())
        reply = yield from self.supervisor.ask({"prompt": prompt_to_json(prompt), "stream": stream}, deadline)
        if reply["event"] == "error":
            raise _error(reply, self.row.backend, self._without_path(str(reply["message"])))
        return Completion(
            text=clean(reply["text"]),
            finish_reason=reply["finish_reason"],
            model=Path(self.settings.path).name,
            prompt_tokens=reply["prompt_tokens"],
            completion_tokens=reply["completion_tokens"],
            confidence=reply["confidence"],
            seconds=deadline.clock() - started,
        )

    def prepare(self, prompt: Prompt) -> None:
        """Have the persona's part of `prompt` evaluated in the background, so that the first turn need not wait for
        it.
        """
        self.supervisor.prepare({"prompt": prompt_to_json(persona_of(prompt))})

    def wait_prepared(self, deadline: Deadline) -> bool:
        """Whether that is done, waiting for it until the deadline: what it evaluated is saved beside the model by
        then.
        """
        return self.supervisor.wait_prepared(deadline)

    def status(self) -> ModelStatus:
        report = self.supervisor.report()
        data = {
            "engine": report.engine,
            "pid": report.pid,
            "starts": report.starts,
            "load_seconds": report.load_seconds,
            "prepared": report.prepared,
            "threads": self.settings.threads,
            "context": self.settings.context,
            **report.info,
        }
        name = Path(self.settings.path).name
        if report.state == "ready":
            return ModelStatus(state="ready", detail=self._without_path(_ready(name, report)), data=data)
        if report.state == "loading":
            detail = f"{name}: {report.phase} for {report.seconds:.1f} s"
            return ModelStatus(state="loading", detail=detail, data={**data, "phase": report.phase})
        problem = "closed" if report.state == "closed" else self._without_path(report.problem)
        return ModelStatus(state="unavailable", detail=f"{name}: {problem}", data=data)

    def _without_path(self, text: str) -> str:
        """`text`, in which a native library may name the file, with its name alone."""
        return text.replace(self.settings.path, Path(self.settings.path).name)

    def close(self) -> None:
        self.supervisor.close()


def _ready(name: str, report: Report) -> str:
    fallback = f" ({report.problem})" if report.problem else ""
    return f"{name} in {report.info.get('engine', report.engine)}{fallback}"


def _error(reply: Message, backend: str, message: str) -> BackendError:
    match reply["kind"]:
        case "context":
            return ContextTooLong(message, backend=backend)
        case "timeout":
            return TimedOut(message, backend=backend, retryable=True)
        case _:
            return Unavailable(message, backend=backend, retryable=True)
