"""Runs an image as Lambda would: read-only, as nobody in particular, with 2 GB and the processor that comes with them.

    python3 tools/image/trial.py --image NAME [--model FILE.gguf] [--port 9000]

Checks that it holds no compiler and may write nowhere but in /tmp, asks for a canned and for a local reply through
AWS's emulator, and prints sizes and times. A model is mounted, unless the image brings its own. Needs docker or podman,
and nothing but Python's own library, so that it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEMORY = 2048
CORES = round(MEMORY / 1769, 2)
"""Lambda gives a whole processor for each 1,769 MB."""
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
"""Lambda allows as many files, processes and threads."""
INVOCATIONS = "/2015-03-31/functions/function/invocations"
CANNED = "こんばんは"
LOCAL = "昨日は海まで散歩したよ"
COLD_STARTS = 5
WARM_CALLS = 20
READY_WITHIN = 180.0
PAUSE = 0.1
TOKEN = secrets.token_hex(8)
"""Of whom `GET /health` tells about the model."""
LOCAL_TRIES = 5
ANATOMY = Path(__file__).parent / "anatomy.py"


class TrialFailed(RuntimeError):
    """The image is not as it should be; the message says in what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A running container; `address` is the emulator's."""

    engine: str
    name: str
    address: str

    def ask(self, event: dict[str, Any]) -> tuple[dict[str, Any], float]:
        """The body of the function's answer, and how long that took in milliseconds."""
        began = time.perf_counter()
        request = urllib.request.Request(self.address + INVOCATIONS, data=json.dumps(event).encode())  # noqa: S310  http
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  as above
            result = json.load(answer)
        took = (time.perf_counter() - began) * 1000
        if result.get("statusCode") != 200:
            raise TrialFailed(f"the function answered {json.dumps(result, ensure_ascii=False)[:400]}")
        body: dict[str, Any] = json.loads(result["body"])
        return body, took

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        return _run([self.engine, "exec", self.name, "sh", "-c", script])

    def run_python(self, program: Path) -> str:
        """What a program of this repository prints inside."""
        command = [self.engine, "exec", "--interactive", self.name, "python3.11", "-"]
        done = subprocess.run(command, input=program.read_bytes(), check=False, capture_output=True)
        if done.returncode:
            raise TrialFailed(f"{program.name} fails inside: {done.stderr.decode()[-2000:]}")
        return done.stdout.decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`start` is the command, up to its options, that starts a container of `image`."""

    engine: str
    start: tuple[str, ...]
    image: str
    port: int

    def flags(self, model: Path | None) -> list[str]:
        flags = ["--read-only", "--tmpfs", "/tmp:size=512m", "--user", "993:990", "--cap-drop", "ALL"]  # noqa: S108
        flags += ["--memory", f"{MEMORY}m", "--cpus", str(CORES), *LIMITS]
        flags += ["--env", f"AWS_LAMBDA_FUNCTION_MEMORY_SIZE={MEMORY}", "--env", "AWS_LAMBDA_FUNCTION_TIMEOUT=30"]
        flags += ["--env", "LOCAL_LLM_TEMPERATURE=0", "--env", f"CLIENT_TOKEN={TOKEN}"]
        if self.engine == "docker":
            flags += ["--publish", f"127.0.0.1:{self.port}:8080"]
        else:
            flags += ["--env", f"EMULATOR_ADDRESS=127.0.0.1:{self.port}"]
        if model is not None:
            flags += ["--volume", f"{model.resolve()}:/opt/model/model.gguf:ro"]
            flags += ["--env", "LOCAL_LLM_MODEL=/opt/model/model.gguf"]
        return flags

    @contextlib.contextmanager
    def container(self, model: Path | None) -> Iterator[Container]:
        """A fresh container whose emulator listens; the function itself starts with the first invocation."""
        name = f"misaki-trial-{self.port}"
        _run([self.engine, "rm", "--force", name])
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
            raise TrialFailed(f"something listens on port {self.port} already: try make image-test PORT=…")
        started = _run([*self.start, "--detach", "--name", name, *self.flags(model), self.image])
        if started.returncode:
            raise TrialFailed(f"the container does not start: {started.stderr.strip()}")
        try:
            address = f"http://127.0.0.1:{self.port}"
            _wait_for(address)
            yield Container(engine=self.engine, name=name, address=address)
        except (TrialFailed, OSError):
            log = _run([self.engine, "logs", name])
            print(log.stdout[-3000:], log.stderr[-3000:], file=sys.stderr)
            raise
        finally:
            _run([self.engine, "kill", name])
            _run([self.engine, "rm", "--force", name])


def main() -> int:
    parser = argparse.ArgumentParser(description="run the image as Lambda would")
    parser.add_argument("--image", required=True)
    parser.add_argument("--model", type=Path, help="a GGUF file to mount; without one, the image's own")
    parser.add_argument("--port", type=int, default=9000)
    arguments = parser.parse_args()
    model = arguments.model if arguments.model and arguments.model.name else None
    try:
        trial = _trial(arguments.image, arguments.port)
        _try(trial, None if _has_model(trial) else model)
    except (TrialFailed, OSError) as error:
        print(f"image-test: {error}", file=sys.stderr)
        return 1
    return 0


def _try(trial: Trial, model: Path | None) -> None:
    size = int(_run([trial.engine, "image", "inspect", "--format", "{{.Size}}", trial.image]).stdout)
    print(f"{trial.image} with {trial.engine}, {MEMORY} MB and {CORES} processors")
    _say("size", f"{size / 1e6:.0f} MB unpacked, {_compressed(trial) / 1e6:.0f} MB compressed")
    cold = [_cold_start(trial, model) for _ in range(COLD_STARTS)]
    _say(
        "first canned reply, cold",
        f"{statistics.median(cold):.0f} ms (median of {COLD_STARTS}, slowest {max(cold):.0f})",
    )
    with trial.container(model) as container:
        _check_inside(container)
        _expect(container.ask({"input": CANNED})[0], "canned")
        warm = sorted(container.ask({"input": CANNED})[1] for _ in range(WARM_CALLS))
        for line in container.run_python(ANATOMY).splitlines():
            part, milliseconds = line.split("\t")
            _say(f"  {part}", f"{milliseconds} ms")
        _say("canned reply, warm", f"{statistics.median(warm):.1f} ms (median of {WARM_CALLS})")
        if model is None and not _has_model(trial):
            _say("local reply", "not asked for: no model in the image, and none given")
            return
        _local(container)


def _compressed(trial: Trial) -> int:
    """Bytes of the whole image by gzip, as a registry keeps its layers."""
    size, gzip = 0, zlib.compressobj(wbits=31)
    with subprocess.Popen([trial.engine, "save", trial.image], stdout=subprocess.PIPE) as saving:
        assert saving.stdout is not None  # noqa: S101  it is a pipe
        for chunk in iter(lambda: saving.stdout.read(1 << 20), b""):
            size += len(gzip.compress(chunk))
    return size + len(gzip.flush())


def _cold_start(trial: Trial, model: Path | None) -> float:
    with trial.container(model) as container:
        body, took = container.ask({"input": CANNED})
        _expect(body, "canned")
        return took


def _check_inside(container: Container) -> None:
    uid = container.run("id -u").stdout.strip()
    if not uid or uid == "0":
        raise TrialFailed(f"the function runs as user `{uid}`")
    if container.run("touch /var/task/x || touch /opt/python/x").returncode == 0:
        raise TrialFailed("the function can write to its own code")
    compiler = container.run("command -v cc gcc clang c++ make").stdout.strip()
    if compiler:
        raise TrialFailed(f"the image holds {compiler}")
    _say("inside", f"user {uid}, read-only, no compiler")


def _local(container: Container) -> None:
    began = time.monotonic()
    while not (loaded := _model(container)).get("load_seconds") and time.monotonic() - began < READY_WITHIN:
        time.sleep(PAUSE)
    _say("model loaded in", f"{loaded.get('load_seconds') or 0:.2f} s, {loaded.get('threads')} thread")
    while not _model(container).get("prepared") and time.monotonic() - began < READY_WITHIN:
        time.sleep(PAUSE)
    _say("prompt prepared after", f"{time.monotonic() - began:.1f} s")
    for which in ("first", "second"):
        body, took = _ask_model(container)
        _say(f"local reply, {which}", f"{took:.0f} ms: {body['reply']}")
    peaks = container.run("cat /proc/[0-9]*/status | grep VmHWM").stdout.split()[1::3]
    _say("memory of all processes", f"{sum(map(int, peaks)) / 1e3:.0f} MB at the most, the model's file included")


def _ask_model(container: Container) -> tuple[dict[str, Any], float]:
    """A reply of the local model; on a busy machine it may be too late for its turn, and is asked again."""
    for _ in range(LOCAL_TRIES - 1):
        with contextlib.suppress(TrialFailed):
            body, took = container.ask({"input": LOCAL})
            _expect(body, "local")
            return body, took
    body, took = container.ask({"input": LOCAL})
    _expect(body, "local")
    return body, took


def _model(container: Container) -> dict[str, Any]:
    """What `GET /health` says of the local model."""
    http = {"http": {"method": "GET", "path": "/health"}}
    headers = {"authorization": f"Bearer {TOKEN}"}
    health, _ = container.ask({"version": "2.0", "rawPath": "/health", "headers": headers, "requestContext": http})
    models: list[dict[str, Any]] = list(health["models"].values())
    return next((model for model in models if "threads" in model), {})


def _expect(body: dict[str, Any], engine: str) -> None:
    if body.get("engine") != engine or not body.get("reply"):
        raise TrialFailed(f"expected a {engine} reply, got {json.dumps(body, ensure_ascii=False)[:400]}")


def _trial(image: str, port: int) -> Trial:
    if shutil.which("docker") and _run(["docker", "info"]).returncode == 0:
        return Trial(engine="docker", start=("docker", "run"), image=image, port=port)
    if shutil.which("podman"):
        return Trial(engine="podman", start=_podman(image), image=image, port=port)
    raise TrialFailed("it needs docker with a running daemon, or podman")


def _has_model(trial: Trial) -> bool:
    inspected = _run([trial.engine, "image", "inspect", "--format", "{{.Config.Env}}", trial.image])
    if inspected.returncode:
        raise TrialFailed(f"there is no image {trial.image}: make image")
    return "LOCAL_LLM_MODEL=" in inspected.stdout


def _podman(image: str) -> tuple[str, ...]:
    """How podman runs a container on this machine: an older one fails on mixed control groups with its own runtime."""
    for runtime in ((), ("--runtime", "runc")):
        way = ("podman", *runtime, "run", "--network", "host")
        tried = _run([*way, *LIMITS, "--rm", "--entrypoint", "", image, "true"])
        if tried.returncode == 0:
            return way
    raise TrialFailed(f"podman cannot run a container here: {tried.stderr.strip()}")


def _wait_for(address: str, seconds: float = 30.0) -> None:
    """Until the emulator speaks HTTP: a port that docker forwards is open before anyone listens behind it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=1):  # noqa: S310  http
                return
        except urllib.error.HTTPError:
            return
        except (OSError, http.client.HTTPException):
            time.sleep(0.01)
    raise TrialFailed(f"nothing answers at {address} after {seconds:.0f} s")


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _say(what: str, value: str) -> None:
    print(f"  {what:<26} {value}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
