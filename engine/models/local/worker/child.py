"""One life of a worker process, seen from the parent: starting it, its pipes, its last words, and that it leaves
nothing behind.

Knows processes and messages; what they mean is the supervisor's business.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import selectors
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import IO, Any, cast

from engine.core.deadline import Deadline
from engine.core.record import record
from engine.models.local.worker.protocol import Decoder, Message, ProtocolError, encode

_TAIL = 4096
"""Bytes of the worker's standard error that are kept: enough for the last words of a native library."""

_INHERITED = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "TMPDIR", "TZ", "VIRTUAL_ENV")

_NATIVE = {"GGML_NO_BACKTRACE": "1", "OPENBLAS_NUM_THREADS": "1"}
"""For libraries in the worker: llama.cpp has a debugger look at a process that it aborts, which takes seconds of the
turn, and numpy keeps a thread and a buffer for each core, for which the worker has no use.
"""

_CHUNK = 2**16
"""Bytes; a pipe holds no more."""


@record(kw_only=False)
class Command:
    """A program that speaks the protocol, with the environment it gets: never the parent's own, which holds
    secrets.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def worker_command(environment: Mapping[str, str]) -> Command:
    """The worker in this interpreter, importing from where this process imports."""
    kept = {name: environment[name] for name in _INHERITED if name in environment}
    path = os.pathsep.join(os.path.realpath(entry) for entry in sys.path)
    return Command(
        (sys.executable, "-P", "-m", "engine.models.local.worker"),
        {**kept, **_NATIVE, "PYTHONPATH": path, "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"},
    )


class Child:
    """A running worker. `on_message` and `on_exit` are called from a thread of its own, `on_exit` last and exactly
    once.
    """

    def __init__(
        self,
        command: Command,
        on_message: Callable[[Child, Message], None],
        on_exit: Callable[[Child], None],
    ) -> None:
        """Raises `OSError` where the system has no process or no thread to give."""
        self._on_message, self._on_exit = on_message, on_exit
        self._tail = bytearray()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command.arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(command.environment),
            start_new_session=True,
        )
        os.set_blocking(self._stdin.fileno(), False)
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._pump, name="model worker", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self._bury()
            raise OSError(errno.EAGAIN, "the system has no thread to give") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Mapping[str, Any], deadline: Deadline) -> None:
        """Write all of `message`; raises `BrokenPipeError` for a dead worker, `TimeoutError` for one that does not
        read.
        """
        data = encode(message)
        if not self._writing.acquire(timeout=deadline.remaining()):
            raise TimeoutError
        try:
            while data:
                if self._stdin.closed:
                    raise BrokenPipeError
                try:
                    data = data[os.write(self._stdin.fileno(), data) :]
                except BlockingIOError:
                    self._wait_writable(deadline)
        finally:
            self._writing.release()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def join(self, seconds: float) -> None:
        """Wait until the process is gone and its pipes are closed."""
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def last_words(self) -> str:
        """The last lines that the process wrote to its standard error."""
        lines = bytes(self._tail).decode("utf-8", "replace").split("\n")
        return " / ".join(line.strip() for line in lines[-4:] if line.strip())

    def exit_words(self) -> str:
        code = self._process.returncode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    @property
    def _stdin(self) -> IO[bytes]:
        return cast("IO[bytes]", self._process.stdin)

    def _wait_writable(self, deadline: Deadline) -> None:
        if deadline.passed:
            raise TimeoutError
        poll = select.poll()
        poll.register(self._stdin.fileno(), select.POLLOUT)
        poll.poll(deadline.remaining() * 1000)

    def _pump(self) -> None:
        try:
            self._read_until_end()
        finally:
            self._bury()
            self._on_exit(self)

    def _bury(self) -> None:
        """Leave neither a process nor a descriptor."""
        self.kill()
        self._process.wait()
        with self._writing:
            for pipe in (self._stdin, self._process.stdout, self._process.stderr):
                with contextlib.suppress(OSError):
                    cast("IO[bytes]", pipe).close()

    def _read_until_end(self) -> None:
        """Until standard output is at its end, or the worker says what is no message. Standard error may stay open for
        longer: what the worker started writes to it as well.
        """
        decoder = Decoder()
        stdout, stderr = cast("IO[bytes]", self._process.stdout), cast("IO[bytes]", self._process.stderr)
        with selectors.DefaultSelector() as selector:
            for pipe in (stdout, stderr):
                selector.register(pipe, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if stderr in ready:
                    words = os.read(stderr.fileno(), _CHUNK)
                    self._tail = (self._tail + words)[-_TAIL:]
                    if not words:
                        selector.unregister(stderr)
                if stdout in ready:
                    data = os.read(stdout.fileno(), _CHUNK)
                    if not data or not self._deliver(decoder, data):
                        return

    def _deliver(self, decoder: Decoder, data: bytes) -> bool:
        try:
            messages = decoder.feed(data)
        except ProtocolError:
            return False
        for message in messages:
            self._on_message(self, message)
        return True
