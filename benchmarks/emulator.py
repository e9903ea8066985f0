"""Warm invocations through AWS's own Lambda emulator, beside a handler that returns a constant."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from typing import Self

from benchmarks.cold import built
from benchmarks.machine import CACHE, ROOT
from benchmarks.measure import Row, Take, alternate
from tools.lambda_emulator import INVOCATIONS, emulator
from tools.lambda_emulator import environment as lambda_environment

REPLIES = 1_000
BLOCK = 20
"""Invocations in a row; each of their texts is said once before anything counts."""


def rows(rounds: int) -> Iterator[Row]:
    """Wall milliseconds of an invocation over HTTP; the emulator takes one at a time."""
    file, texts = built(REPLIES)
    payloads = [json.dumps({"input": text}).encode() for text in texts[:BLOCK]]
    with ExitStack() as stack:
        sides: dict[str, Take] = {}
        for name, handler, metrics in (
            ("constant", "benchmarks.constant.handler", "false"),
            ("ours", "lambda_function.lambda_handler", "false"),
            ("metrics", "lambda_function.lambda_handler", "true"),
        ):
            function = stack.enter_context(_Function(handler, MISAKI_PIPELINE=str(file), METRICS=metrics))
            sides[name] = function.invoking(payloads)
        times = alternate(sides, rounds, blocks=dict.fromkeys(sides, BLOCK))
    what = f"warm canned invocation, {REPLIES:,} replies"
    peer, floor = "a handler that returns a constant", times["constant"]
    yield Row(id="emulator.ours", what=what, ours=times["ours"], peer=peer, theirs=floor, at_least=0.77)
    yield Row(id="emulator.metrics", what=f"{what}, with metrics", ours=times["metrics"], peer=peer, theirs=floor)


class _Function:
    """A handler in an emulator of its own."""

    def __init__(self, handler: str, **env: str) -> None:
        self._port, api = _free_port(), _free_port()
        addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        addresses += ["--runtime-api-address", f"127.0.0.1:{api}"]
        self._command = [str(emulator()), *addresses, sys.executable, "-m", "awslambdaric", handler]
        python = {"PYTHONPYCACHEPREFIX": str(CACHE / "bytecode"), "USE_LOCAL_LLM": "false"}
        self._env = lambda_environment(30, 1024, {**os.environ, **python, **env})

    def __enter__(self) -> Self:
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(self._command, env=self._env, cwd=ROOT, stdout=quiet, stderr=quiet)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def invoking(self, payloads: list[bytes]) -> Take:
        """Invokes with the next payload each time; waits for an emulator that is still starting."""
        turns = cycle(payloads)

        def take() -> float:
            for _ in range(100):
                began = time.perf_counter()
                try:
                    self._invoke(next(turns))
                except ConnectionError:
                    time.sleep(0.1)
                else:
                    return time.perf_counter() - began
            raise RuntimeError("the emulator does not answer")

        return take

    def _invoke(self, payload: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("POST", INVOCATIONS, payload)
            body = connection.getresponse().read()
        finally:
            connection.close()
        if json.loads(body).get("statusCode") != 200:
            raise RuntimeError(f"the function answered {body[:300]!r}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
