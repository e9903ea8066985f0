"""Starts the project's own commands as a user does, for tests that talk to them from outside."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import httpx

from tests.children import child, first_line
from tests.environment import SETTING

ROOT = Path(__file__).parents[2]
SETTINGS = {"USE_LOCAL_LLM": "false", "PYTHONUNBUFFERED": "1", "MISAKI_ENV_FILE": "off", "MISAKI_LANG": "en"}
"""No local model: what is tested here is the edge, and it answers from the canned replies."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without any setting of the engine, and `extra`."""
    base = {name: value for name, value in os.environ.items() if not SETTING.match(name)}
    return base | SETTINGS | dict(extra or {})


def python_path(folder: Path) -> str:
    """`PYTHONPATH` with `folder` before what is there already: an image has its packages there."""
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


def run(
    *command: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs a module of this tree, in any folder, to its end."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        cwd=cwd,
        env=environment({"PYTHONPATH": python_path(ROOT), "COLUMNS": "120", **(env or {})}),
        check=False,
    )


@cache
def compiled() -> Mapping[str, str]:
    """The variable that names the shipped pipeline's plan, which is built once: a start from sources takes seconds."""
    plan = ROOT / ".cache" / "tests.plan"
    done = run("engine", "build", "--plan-only", "--out", str(plan))
    assert done.returncode == 0, done.stderr
    return {"MISAKI_PLAN": str(plan)}


def misaki(*arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return run("engine", *arguments, stdin=stdin, env=env)


class Server:
    """A running `misaki serve`: where it listens, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self.url = self.wait_for(r"(http://[0-9.]+:\d+)")

    def wait_for(self, pattern: str) -> str:
        """Reads the output up to a line that matches, and returns its first group."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            found = re.search(pattern, line)
            if found:
                return found[1] if found.groups() else found[0]
        raise AssertionError(f"the server ended without saying {pattern}:\n{''.join(self.said)}")

    def stop(self, number: int) -> tuple[int, str]:
        """Sends a signal; the exit code and the rest of the output."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=60)
        return self.process.returncode, rest


@contextmanager
def served(*arguments: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A running server: of the shipped pipeline, compiled, unless another is named or the folder is another."""
    plan = {} if "--pipeline" in arguments or cwd != ROOT else compiled()
    with child(
        [sys.executable, "-m", "engine", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=environment({**plan, **(env or {})}),
    ) as process:
        yield Server(process)


def post(url: str, payload: object, headers: Mapping[str, str] | None = None) -> tuple[int, dict]:
    """Status and JSON body of a POST; a server that is still starting is waited for."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=60) as client:
        response = client.post(url, content=body, headers=dict(headers or {}))
    return response.status_code, response.json()


@contextmanager
def chat_model_server(model: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A chat model behind llama.cpp's OpenAI-compatible server, on one thread: where it listens, and the process."""
    code = "import runpy, llama_cpp; from engine.models.local.llama_context import model_parameters; "
    code += "llama_cpp.llama_cpp.llama_model_default_params = model_parameters; "
    code += "runpy.run_module('llama_cpp.server', run_name='__main__')"
    command = [sys.executable, "-u", "-c", code, "--host", "127.0.0.1", "--port", "0"]
    options = {"model": model, "n_ctx": 512, "n_threads": 1, "n_threads_batch": 1, "logits_all": True}
    for name, value in {**options, "verbose": False}.items():
        command += [f"--{name}", str(value)]
    with child(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        found = (re.search(r"running on (http://127\.0\.0\.1:\d+)", line) for line in process.stderr)
        yield next(match[1] for match in found if match), process


@contextmanager
def ministack(port: int, folder: Path) -> Iterator[str]:
    """AWS's services, such as DynamoDB and Cognito, in one process that listens on loopback only."""
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_HOST": "localhost",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(folder),
    }
    command = [sys.executable, "-u", "-m", "ministack"]
    env = {**os.environ, **settings}
    with child(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        first_line(process.stdout, lambda line: "Running on" in line)
        yield f"http://127.0.0.1:{port}"
