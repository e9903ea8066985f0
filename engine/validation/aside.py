"""Does work in a second process while this one goes on: the checks of one pipeline do not need those of another.

The process is a copy of this one (`fork`), so the work may use everything that was read already; only its result is
sent. Where copies cannot be made, or would not help, the work is done when its result is asked for.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def aside(work: Callable[[], T]) -> Callable[[], T]:
    """Begins `work`, whose result can be pickled, and gives what waits for that result or raises what `work` does."""
    if not _helps():
        return work
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        _send(work, writer)
    os.close(writer)

    def wait() -> T:
        with open(reader, "rb") as pipe:  # noqa: PTH123 - a pipe has no path
            sent = pipe.read()
        _, status = os.waitpid(process, 0)
        # What went wrong there goes wrong here, too, where it can be told.
        result: T = work() if status else pickle.loads(sent)  # noqa: S301 - from this process's own copy
        return result

    return wait


def _helps() -> bool:
    """Whether a copy can be made, of a process without threads, and there is a processor to run it."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return processors > 1 and threading.active_count() == 1


def _send(work: Callable[[], object], writer: int) -> None:
    """Ends the copy without anything that an end of the program would do."""
    status = 1
    try:
        with open(writer, "wb") as pipe:
            pipe.write(pickle.dumps(work()))
        status = 0
    finally:
        os._exit(status)
