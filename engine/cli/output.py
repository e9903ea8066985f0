"""Writes what commands say: to the terminal or a pipe, without holding up a turn, and to files that a user names."""

from __future__ import annotations

import argparse
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console

from engine.core.language import tell


class Terminal(Console):
    """Standard output, whose lines are not broken unless `wraps` says so."""

    def __init__(self, *, wraps: bool = False) -> None:
        super().__init__(highlight=False, soft_wrap=not wraps)

    def on_broken_pipe(self) -> None:
        """Raises as `print` does; by itself rich would end the process."""
        raise BrokenPipeError


def output_file(text: str) -> Path:
    """The type of an option that names a file to write: told before the work is done, if it cannot be."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(tell("`{text}` is a folder: name a file", text=text))
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(
            tell("`{text}` cannot be written: `{folder}` is no folder", text=text, folder=folder)
        )
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise argparse.ArgumentTypeError(tell("`{text}` cannot be written: permission denied", text=text))
    return path


def write_output(path: Path, text: str) -> None:
    """Writes the file, and the folders above it where they are missing. Names of files may hold what is no text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


ROOM = 1_000
"""Lines that may wait."""


class LineWriter:
    """Takes lines from any thread, and returns at once. It writes to the stream's own descriptor, past its buffer."""

    def __init__(self, stream: TextIO, *, room: int = ROOM) -> None:
        self._descriptor = stream.fileno()
        self._encoding = stream.encoding or "utf-8"
        self._room = room
        self._lines: deque[str] = deque()
        self._left_out = 0
        self._changed = threading.Condition()
        self._idle = True
        threading.Thread(target=self._write_all, name="lines", daemon=True).start()

    def __call__(self, line: str) -> None:
        with self._changed:
            if len(self._lines) >= self._room:
                self._left_out += 1
            else:
                self._lines.append(line)
                self._changed.notify_all()

    def finish(self, seconds: float) -> None:
        """Wait until every line is written, for so long at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._idle and not self._lines, seconds)

    def _write_all(self) -> None:
        while True:
            line = self._next()
            data = f"{line}\n".encode(self._encoding, "backslashreplace")
            # Those who read may have gone; the lines after this one find that out for themselves.
            with suppress(OSError):
                while data:
                    data = data[os.write(self._descriptor, data) :]

    def _next(self) -> str:
        with self._changed:
            self._idle = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._lines)
            self._idle = False
            if self._left_out and len(self._lines) == 1:
                count, self._left_out = self._left_out, 0
                self._lines.append(f"({count} lines were left out, because nobody read them)")
            return self._lines.popleft()


class LineHandler(logging.Handler):
    """Gives log records to a `LineWriter`."""

    def __init__(self, lines: LineWriter) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines(self.format(record))


INTERVAL = 0.2
"""Seconds between two looks."""


def watch_models(
    health: Callable[[], Mapping[str, Any]],
    stop: threading.Event,
    say: Callable[[str], None],
    interval: float = INTERVAL,
) -> None:
    """Says each model's state now and when it changes, until none is loading or `stop` is set."""
    began = time.monotonic()
    seen: dict[str, str] = {}
    while True:
        models = health()["models"]
        for name, model in models.items():
            if seen.get(name) != model["state"]:
                after = f" after {time.monotonic() - began:.1f} s" if name in seen else ""
                detail = f": {model['detail']}" if model["detail"] else ""
                say(f"  model {name} is {model['state']}{after}{detail}")
                seen[name] = model["state"]
        if "loading" not in seen.values() or stop.wait(interval):
            return
