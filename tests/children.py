"""Starts processes for tests, and ends them with all that they started, however the test ends."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, TypeVar

T = TypeVar("T")


def first_line(output: IO[str], has: Callable[[str], T | None]) -> T:
    """What `has` finds in the first line that has it; the rest is thrown away, as nobody may write to a full pipe."""
    found = next(one for one in map(has, output) if one)
    threading.Thread(target=_drain, args=(output,), daemon=True).start()
    return found


def _drain(output: IO[str]) -> None:
    # Whoever ends the process closes its output, too.
    with suppress(ValueError):
        deque(output, 0)


@contextmanager
def child(command: Sequence[str | os.PathLike[str]], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A running process with the options of `Popen`; at the end it and its whole group are killed.

    Whoever wants an orderly end asks for it inside.
    """
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
