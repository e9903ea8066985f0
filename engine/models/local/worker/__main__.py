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
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NoReturn, cast

from engine.core.deadline import Deadline
from engine.core.record import replace
from engine.core.turn import Prompt
from engine.models.local.worker.answering import Answerer, choose_layout
from engine.models.local.worker.gguf import read_metadata
from engine.models.local.worker.inference import DoesNotFit, EngineModule, LoadError, OutOfTime
from engine.models.local.worker.protocol import Decoder, Message, encode
from engine.models.local.worker.start import ENGINES, prompt_from_json, settings_from_json

_PR_SET_PDEATHSIG = 1
"""See prctl(2)."""


class Pipe:
    """Our ends of the pipes, moved away from descriptors 0 and 1."""

    def __init__(self) -> None:
        self._in, self._out = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._messages: SimpleQueue[Message] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def receive(self) -> Message:
        return self._messages.get()

    def idle(self) -> bool:
        return self._messages.empty()

    def send(self, message: Mapping[str, Any]) -> None:
        data = encode(message)
        while data:
            data = data[os.write(self._out, data) :]

    def _listen(self) -> None:
        decoder = Decoder()
        try:
            while data := os.read(self._in, 2**16):
                for message in decoder.feed(data):
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
    info = {"engine": engine.version, "model": metadata.name, "style": layout.style}
    return Answerer(engine, layout, settings), info


def answer(answerer: Answerer, prompt: Prompt, deadline: Deadline) -> dict[str, Any]:
    try:
        completion = answerer.answer(prompt, deadline)
    except DoesNotFit:
        return {"event": "error", "kind": "context", "message": "the prompt does not fit the context of the model"}
    except OutOfTime:
        return {"event": "error", "kind": "timeout", "message": "the deadline came before the first token"}
    return {
        "event": "result",
        "text": completion.text,
        "finish_reason": completion.finish_reason,
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
        "confidence": completion.confidence,
    }


def prepare(answerer: Answerer, prompt: Prompt, interrupted: Callable[[], bool]) -> dict[str, Any] | None:
    """What to say about it; `None` where it was interrupted. A failure costs the head start, never the loaded model."""
    try:
        return {"event": "prepared"} if answerer.prepare(prompt, interrupted) else None
    except DoesNotFit:
        return {"event": "prepared", "problem": "the persona does not fit the context of the model"}
    except Exception as error:  # noqa: BLE001 - the top of the worker, as below
        return {"event": "prepared", "problem": _unexpected(error)}


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
    serve(pipe, answerer)


def serve(pipe: Pipe, answerer: Answerer) -> NoReturn:
    """Answer what comes. While nothing does, evaluate what a later turn will need."""
    ahead: Prompt | None = None
    while True:
        if ahead is not None and pipe.idle():
            if (done := prepare(answerer, ahead, lambda: not pipe.idle())) is not None:
                ahead = None
                pipe.send(done)
            continue
        order = pipe.receive()
        prompt = prompt_from_json(order["prompt"])
        if order["op"] == "prepare":
            ahead = prompt
            continue
        try:
            reply = answer(answerer, prompt, Deadline.after(order["seconds"]))
        except Exception as error:  # noqa: BLE001 - as above: one bad turn does not cost the loaded model
            reply = {"event": "error", "kind": "error", "message": _unexpected(error)}
        pipe.send({**reply, "id": order["id"]})
        if reply.get("kind") == "timeout":
            # Without the conversation: what goes wrong ahead of a turn is told on the health page.
            ahead = replace(prompt, history=(), text="")


def _unexpected(error: Exception) -> str:
    """What to tell of a bug; the rest of it goes where native libraries leave their last words."""
    traceback.print_exception(error)
    # With its kind: that there is no memory left comes without a word.
    return f"the worker met an unexpected error: {''.join(traceback.format_exception_only(error)).strip()}"


if __name__ == "__main__":
    main()
