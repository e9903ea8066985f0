"""Serves the bot while it is edited: what is saved, Python or YAML, takes effect with the next call.

    python -m tools.dev [--host 127.0.0.1] [--port 9000] [--chat-port 9001]

AWS's Lambda emulator answers on the first port, `misaki serve` with `/chat` on the second. Before the bytes of a call
are passed on, the files are looked at; where one was saved since, the process behind the port is started anew.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from engine.cli.env_file import Usage, read_env_file
from tools.demo_model import FOLDER, MODELS
from tools.lambda_emulator import INVOCATIONS, ROOT, command, environment, free_port

UNREAD = frozenset({"benchmarks", "build", "dist", "docs", "node_modules", "tests"})
"""Folders that no bot is made of, beside those whose names begin with a dot."""
KINDS = frozenset({".py", ".yml", ".yaml", ".j2", ".json", ".plan"})
START = 60.0
"""Seconds that a process may take until it listens."""
INVOCATION = 60
"""Seconds that the emulator gives an invocation, its first with the start of everything on a busy machine."""
STOP = 2.0
"""Seconds that it may take to end."""

State = Mapping[str, tuple[int, int]]
"""Time and size of each file."""


def files(folder: Path = ROOT) -> State:
    """What the bot in `folder` is made of."""
    return {path: (status.st_mtime_ns, status.st_size) for path, status in _files(folder)}


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    for entry in os.scandir(folder):
        with suppress(OSError):
            if entry.is_dir() and entry.name[0] not in "._" and entry.name not in UNREAD:
                yield from _files(Path(entry.path))
            elif entry.is_file() and (Path(entry.name).suffix in KINDS or entry.name == ".env"):
                yield entry.path, entry.stat()


class Plan:
    """The pipeline compiled once for all services, for the files as they are.

    What is wrong with it is left for the services to tell: each of them reads the files itself where there is no plan.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._seen: State = {}
        self._turn = asyncio.Lock()

    async def make(self, state: State) -> None:
        async with self._turn:
            if state == self._seen:
                return
            self._seen = state
            build = [sys.executable, "-m", "engine", "build", "--plan-only"]
            quiet = asyncio.subprocess.DEVNULL
            process = await asyncio.create_subprocess_exec(*build, cwd=ROOT, env=self._env, stdout=quiet, stderr=quiet)
            await process.wait()


class NotStarted(RuntimeError):
    """The process ended, or does not listen; what it said stands in the terminal."""


@dataclass(slots=True, kw_only=True)
class Service:
    """A process that listens on a port of loopback, given by `command`, and is started anew when a file changes."""

    name: str
    command: Callable[[int], list[str]]
    env: Mapping[str, str]
    plan: Plan
    state: Callable[[], State] = files
    starts: int = 0
    port: int = 0
    seen: State = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def current(self) -> int:
        """How often it was started, once it listens with the files as they are; raises `NotStarted`."""
        async with self._turn:
            state = self.state()
            if self.process is None or state != self.seen:
                self._tell(state)
                self.seen = state
                await self.stop()
                await self.plan.make(state)
                await self._start()
            elif self.process.returncode is not None:
                await self._start()
            return self.starts

    async def stop(self) -> None:
        """Ends the process, which ends what it started; one that is busy is not waited for long."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), STOP)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()

    def _tell(self, state: State) -> None:
        if self.process is None:
            return
        names = sorted({path for path, _ in state.items() ^ self.seen.items()})
        shown = ", ".join(os.path.relpath(name, ROOT) for name in names[:3])
        print(f"dev: {self.name} is started anew: {shown}{' and more' if names[3:] else ''}", flush=True)

    async def _start(self) -> None:
        await self.stop()
        self.port, self.starts = free_port(), self.starts + 1
        self.process = await asyncio.create_subprocess_exec(*self.command(self.port), cwd=ROOT, env=self.env)
        with suppress(TimeoutError):
            async with asyncio.timeout(START):
                while self.process.returncode is None:
                    with suppress(OSError):
                        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                        writer.close()
                        return
                    await asyncio.sleep(0.02)
        raise NotStarted(f"{self.name} does not start: see its terminal")


class Connection:
    """One connection of a client; what comes before an answer goes to the process that is current then."""

    def __init__(self, service: Service, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._service, self._reader, self._writer = service, reader, writer
        self._starts = 0
        self._upstream: asyncio.StreamWriter | None = None
        self._answers: asyncio.Task[None] | None = None
        self._between = True

    async def run(self) -> None:
        try:
            while data := await self._reader.read(65536):
                if self._between:
                    await self._connect()
                self._between = False
                assert self._upstream is not None  # noqa: S101  the first data of a connection comes between two calls
                self._upstream.write(data)
                await self._upstream.drain()
            if self._upstream is not None and self._answers is not None:
                self._upstream.write_eof()
                await self._answers
        except NotStarted as error:
            self._writer.write(_unavailable(str(error)))
        except OSError:
            pass
        finally:
            self._part()
            self._writer.close()

    async def _connect(self) -> None:
        """To the process with the files as they are, unless this connection leads there already."""
        answers, self._answers = self._answers, None
        starts = await self._service.current()
        if starts == self._starts and answers is not None and not answers.done():
            self._answers = answers
            return
        if answers is not None:
            answers.cancel()
        self._part()
        reader, self._upstream = await asyncio.open_connection("127.0.0.1", self._service.port)
        self._starts = starts
        self._answers = asyncio.create_task(self._pass_back(reader))

    async def _pass_back(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                self._between = True
                self._writer.write(data)
                await self._writer.drain()
        # While `_connect` looks for a newer process, the client stays.
        if self._answers is asyncio.current_task():
            self._writer.close()

    def _part(self) -> None:
        if self._upstream is not None:
            self._upstream.close()


def _unavailable(message: str) -> bytes:
    body = json.dumps({"error": message, "code": "unavailable"}).encode()
    head = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nAccess-Control-Allow-Origin: *\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


async def serve(services: Mapping[int, Service], host: str) -> None:
    """Listens for each service on its port until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listening = [await _listen(service, host, port) for port, service in services.items()]
    try:
        for service in services.values():
            with suppress(NotStarted):
                await service.current()
        print("dev: ready", flush=True)
        await stop.wait()
    finally:
        for server in listening:
            server.close()
        for service in services.values():
            await service.stop()


async def _listen(service: Service, host: str, port: int) -> asyncio.Server:
    return await asyncio.start_server(lambda *streams: Connection(service, *streams).run(), host, port)


def with_model(env: Mapping[str, str], folder: Path = FOLDER) -> dict[str, str]:
    """`env` with the model in `.models` that it means: by its name alone, or the demo model where it names none.

    A path of the host leads nowhere in a container; its last part does.
    """
    named = env.get("LOCAL_LLM_MODEL", "").strip()
    inside = folder / (Path(named).name if named else MODELS["gemma3"].file)
    if Path(named).is_file() if named else "USE_LOCAL_LLM" in env:
        return dict(env)
    return {**env, "LOCAL_LLM_MODEL": str(inside)} if inside.is_file() else dict(env)


def main() -> None:
    parser = argparse.ArgumentParser(description="serve the bot while it is edited")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000, help="port of AWS's Lambda emulator")
    parser.add_argument("--chat-port", type=int, default=9001, help="port of misaki serve, with /chat")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    try:
        print(read_env_file(os.environ), flush=True)
    except Usage as error:
        sys.exit(f"dev: {error}")
    with tempfile.TemporaryDirectory() as scratch:
        own = {"MISAKI_ENV_FILE": "off", "MISAKI_PLAN": f"{scratch}/dev.plan", "PYTHONDONTWRITEBYTECODE": "1"}
        _serve(arguments, with_model({**os.environ, **own}))


def _serve(arguments: argparse.Namespace, env: Mapping[str, str]) -> None:
    plan = Plan(env)
    misaki = [sys.executable, "-m", "engine", "serve", "--port"]
    services = {
        arguments.port: Service(
            name="the Lambda emulator",
            command=lambda port: command("127.0.0.1", port),
            env=environment(INVOCATION, 2048, env),
            plan=plan,
        ),
        arguments.chat_port: Service(
            name="misaki serve", command=lambda port: [*misaki, str(port)], env=env, plan=plan
        ),
    }
    print(f"dev: Lambda's emulator on http://{arguments.host}:{arguments.port}{INVOCATIONS}")
    print(f"dev: a web client talks to http://{arguments.host}:{arguments.chat_port}/chat", flush=True)
    asyncio.run(serve(services, arguments.host))


if __name__ == "__main__":
    main()
