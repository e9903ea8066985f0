"""Writes lines to a stream in a thread of its own, so that a reader who does not read holds up nobody else.

A pipe that is full, a terminal that is stopped or a disk without room would keep whoever prints waiting, and with it
the turn. Here lines wait in a queue of bounded length; those that find no room are counted and left out.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from contextlib import suppress
from typing import TextIO

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
