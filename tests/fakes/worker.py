"""A worker process without a model, for tests of the parent's side: `python -m tests.fakes.worker`.

The engine it is told to load decides how loading goes, the text of a prompt how a turn goes.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine.models.local.worker.child import Command
from engine.models.local.worker.protocol import Decoder, encode

CROWD = 3
_NUMBERS = {"finish_reason": "stop", "prompt_tokens": 1, "completion_tokens": 1, "confidence": 0.5}

COMMAND = Command(
    (sys.executable, "-P", "-m", "tests.fakes.worker"),
    {"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
)


def main() -> None:
    messages = _messages()
    order = next(messages)
    LOADING.get(order["engine"], lambda: None)()
    _say(event="phase", phase="loading the model")
    if order["engine"] == "crowd":
        _say(event="ready", engine="crowd", parallel=CROWD)
        _serve_crowd(messages)
    _say(event="ready", engine=order["engine"], pid=os.getpid())
    for count, question in enumerate((message for message in messages if message["op"] != "cancel"), 1):
        text = question["prompt"]["text"]
        TURNS.get(text, lambda: None)()
        if question["op"] == "prepare":
            _say(event="prepared")
            continue
        _say(
            event="result",
            id=question["id"],
            text=f"{count}: {text}",
            finish_reason="stop",
            prompt_tokens=len(text),
            completion_tokens=1,
            confidence=0.5,
        )


def _serve_crowd(messages: Any) -> None:
    """Answers when as many ask as may; one whose text is `speak` at once, in two pieces, and `stay` when cancelled."""
    waiting: dict[int, str] = {}
    for message in messages:
        if message["op"] == "cancel":
            if waiting.pop(message["id"], None) is not None:
                _say(event="error", id=message["id"], kind="timeout", message="cancelled")
            continue
        text = message["prompt"]["text"]
        TURNS.get(text, lambda: None)()
        waiting[message["id"]] = text
        if text == "speak":
            _say(event="text", id=message["id"], text="One.", confidence=0.5)
            _say(event="text", id=message["id"], text="One. Two.", confidence=0.25)
        if text != "speak" and len(waiting) < CROWD:
            continue
        for number in tuple(waiting):
            _say(event="result", id=number, text=waiting.pop(number), **_NUMBERS)


def _messages() -> Any:
    decoder = Decoder()
    while data := os.read(0, 2**16):
        yield from decoder.feed(data)


def _say(**message: Any) -> None:
    os.write(1, encode(message))


def _fail() -> None:
    _say(event="failed", message="the file is damaged")
    sys.exit(0)


def _fail_and_stay() -> None:
    _say(event="failed", message="the file is damaged")
    time.sleep(3600)


def _die() -> None:
    os.write(2, b"ggml: assertion failed\n")
    os.kill(os.getpid(), signal.SIGABRT)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


LOADING: Mapping[str, Callable[[], None]] = {
    "damaged": _fail,
    "lingering": _fail_and_stay,
    "aborting": _die,
    "hanging": _stop,
    "deaf": lambda: time.sleep(3600),
}
TURNS: Mapping[str, Callable[[], None]] = {
    "die": _die,
    "hang": _stop,
    "chatter": lambda: os.write(2, b"x" * 100_000) and None,
    "garbage": lambda: os.write(1, b"no message\n") and None,
    "slowly": lambda: time.sleep(0.2),
}

if __name__ == "__main__":
    main()
