"""The worker process: reads its settings, loads one model with one engine, answers until its parent goes away.

The pipe is taken away from standard output first thing, because native code prints where it likes. The parent's end
of file is watched by a thread of its own, so that no worker outlives its parent, whatever it is busy with; one that is
stopped is continued by the kernel for that.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Mapping
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NoReturn, cast

from engine.core.deadline import Deadline
from engine.core.turn import Prompt
from engine.models.local.worker.answering import Answerer, choose_layout
from engine.models.local.worker.gguf import read_metadata
from engine.models.local.worker.inference import DoesNotFit, EngineModule, LoadError, OutOfTime
from engine.models.local.worker.protocol import Decoder, Message, encode
from engine.models.local.worker.start import ENGINES, persona_of, prompt_from_json, settings_from_json

_PR_SET_PDEATHSIG = 1
"""See prctl(2)."""

_AHEAD = 0
"""Stands for what is read ahead; questions count from 1."""

_Turn = Generator[None, None, Message]


class Pipe:
    """Our ends of the pipes, moved away from descriptors 0 and 1."""

    def __init__(self) -> None:
        self._in, self._out = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._messages: SimpleQueue[Message] = SimpleQueue()
        self._wanted: set[int] = set()
        threading.Thread(target=self._listen, daemon=True).start()

    def receive(self) -> Message:
        return self._messages.get()

    def idle(self) -> bool:
        return self._messages.empty()

    def is_wanted(self, number: int) -> bool:
        """Whether somebody waits for this answer; known at once, whatever the engine is busy with."""
        return number in self._wanted

    def finish(self, number: int, reply: Message) -> None:
        self._wanted.discard(number)
        self.send(reply)

    def send(self, message: Mapping[str, Any]) -> None:
        data = encode(message)
        while data:
            data = data[os.write(self._out, data) :]

    def _listen(self) -> None:
        decoder = Decoder()
        try:
            while data := os.read(self._in, 2**16):
                for message in decoder.feed(data):
                    if message["op"] == "cancel":
                        self._wanted.discard(message["id"])
                        continue
                    if message["op"] == "generate":
                        self._wanted.add(message["id"])
                    self._messages.put(message)
        finally:
            os._exit(0)


def load(order: Message, phase: Callable[[str], None]) -> tuple[Answerer, dict[str, Any]]:
    """Raises `LoadError`."""
    settings = settings_from_json(order["settings"])
    phase("reading the metadata")
    try:
        metadata = read_metadata(Path(settings.path))
    except (OSError, ValueError) as error:
        raise LoadError(str(error)) from error
    layout = choose_layout(settings, metadata)
    phase(f"importing {order['engine']}")
    try:
        module = cast("EngineModule", import_module(f"engine.models.local.{ENGINES[order['engine']]}"))
    except (ImportError, OSError, RuntimeError) as error:
        raise LoadError(f"{order['engine']} cannot be imported: {error}") from error
    phase("loading the model")
    engine = module.load(settings, metadata)
    answerer = Answerer(engine, layout, settings)
    info = {"engine": engine.version, "model": metadata.name, "style": layout.style, "parallel": answerer.parallel}
    return answerer, info


def answer(answerer: Answerer, prompt: Prompt, order: Message, pipe: Pipe) -> Generator[None, None, Message]:
    """The reply to one question; raises nothing, since one bad turn does not cost the loaded model."""
    number = order["id"]

    def tell(text: str, confidence: float | None) -> None:
        pipe.send({"event": "text", "id": number, "text": text, "confidence": confidence})

    try:
        until = Deadline.after(order["seconds"])
        completion = yield from answerer.answer(
            prompt,
            lambda: until.passed or not pipe.is_wanted(number),
            tell if order.get("stream") else None,
        )
    except DoesNotFit:
        kind, message = "context", "the prompt does not fit the context of the model"
    except OutOfTime:
        kind, message = "timeout", "the deadline came before the first token"
    except Exception as error:  # noqa: BLE001 - whatever native bindings raise is the operator's to read
        kind, message = "error", _unexpected(error)
    else:
        return {
            "event": "result",
            "id": number,
            "text": completion.text,
            "finish_reason": completion.finish_reason,
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
            "confidence": completion.confidence,
        }
    return {"event": "error", "id": number, "kind": kind, "message": message}


def prepare(answerer: Answerer, prompt: Prompt) -> Generator[None, None, Message]:
    """What to say about reading ahead; a failure costs the head start, never the loaded model."""
    try:
        # Without the conversation: what goes wrong ahead of a turn is told on the health page.
        yield from answerer.prepare(persona_of(prompt))
    except DoesNotFit:
        return {"event": "prepared", "problem": "the persona does not fit the context of the model"}
    except Exception as error:  # noqa: BLE001 - the top of the worker, as above
        return {"event": "prepared", "problem": _unexpected(error)}
    return {"event": "prepared"}


def main() -> None:
    """Returns when there is nothing to serve with; the parent's going away ends the process elsewhere."""
    if sys.platform == "linux":
        # The signal comes as well when only the thread that started this process ends, so it must not kill.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGCONT)
    pipe = Pipe()
    try:
        order = pipe.receive()
        answerer, info = load(order, lambda phase: pipe.send({"event": "phase", "phase": phase}))
    except LoadError as error:
        pipe.send({"event": "failed", "message": str(error)})
        return
    except Exception as error:  # noqa: BLE001 - the top of the worker: whatever native bindings raise is the operator's to read
        pipe.send({"event": "failed", "message": _unexpected(error)})
        return
    pipe.send({"event": "ready", **info})
    Turns(pipe, answerer).serve()


class Turns:
    """The answers under way, all of which a step takes further; beside them, what a later turn will need is read."""

    def __init__(self, pipe: Pipe, answerer: Answerer) -> None:
        self._pipe, self._answerer = pipe, answerer
        self._turns: dict[int, tuple[Prompt, _Turn]] = {}

    def serve(self) -> NoReturn:
        while True:
            while not self._turns or not self._pipe.idle():
                self._take(self._pipe.receive())
            failure = None
            try:
                self._answerer.step()
            except RuntimeError as error:
                failure = error
            for number in tuple(self._turns):
                self._go_on(number, failure)

    def _take(self, order: Message) -> None:
        prompt = prompt_from_json(order["prompt"])
        if order["op"] == "prepare":
            self._begin(_AHEAD, prompt, prepare(self._answerer, prompt))
        else:
            self._begin(order["id"], prompt, answer(self._answerer, prompt, order, self._pipe))

    def _begin(self, number: int, prompt: Prompt, turn: _Turn) -> None:
        self._turns[number] = prompt, turn
        self._go_on(number)

    def _go_on(self, number: int, failure: RuntimeError | None = None) -> None:
        prompt, turn = self._turns[number]
        try:
            if failure is None:
                next(turn)
            else:
                turn.throw(failure)
        except StopIteration as end:
            del self._turns[number]
            self._pipe.finish(number, end.value)
            if end.value.get("kind") == "timeout" and _AHEAD not in self._turns:
                self._begin(_AHEAD, prompt, prepare(self._answerer, prompt))


def _unexpected(error: Exception) -> str:
    """What to tell of a bug; the rest of it goes where native libraries leave their last words."""
    traceback.print_exception(error)
    # With its kind: that there is no memory left comes without a word.
    return f"the worker met an unexpected error: {''.join(traceback.format_exception_only(error)).strip()}"


if __name__ == "__main__":
    main()
