"""Turns with hardly any time left, and sandboxes that are frozen between turns and in the middle of one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from tests.acceptance.processes import ROOT, environment
from tests.chaos.experiment import Check
from tests.children import child
from tests.faults import behaviours
from tests.faults.peer import Connection, Peer
from tools.demo_model import ensure

TITLE = "little time, and a sandbox that is frozen"
REMAINING: tuple[int | None, ...] = (0, 1, 100, 500, None)
"""Milliseconds that Lambda says are left."""
ROUNDS = 20
FREEZE = 60.0
GRACE = 0.05
DEADLINE = 3.0
MOMENTS = ("between turns", "local", "external")
_INTO_A_TURN = 0.02
_LOADING = 120.0
SENTENCES = {"canned": "hello", "local": "tell me about cats", "external": "please translate this"}

PIPELINE = """
version: 1
name: deadlines
locale: en
deadline: 3s
persona: {{name: Misaki}}
replies: [replies.yml]
models:
  small: {{backend: auto, path: "{path}", threads: 1, max_tokens: 16, cache: "off"}}
  large: {{backend: openai, model: speaker, base_url: "{url}/v1"}}
steps:
  - {{id: canned, kind: replies, threshold: 80}}
  - {{id: talk, kind: generate, model: small, prompt: prompt.j2, when: "not 'translate' in text"}}
  - {{id: ask_large, kind: generate, model: large, prompt: prompt.j2}}
  - {{id: sorry, kind: say, reply: sorry}}
"""
REPLIES = """
replies:
  - {id: hello, match: [hello], say: [Good evening.]}
  - {id: sorry, say: [I am out of words.]}
"""


@dataclass(slots=True)
class Sandbox:
    """A process that answers events as Lambda's would; see `tests.chaos.sandbox`. `peer` is its provider."""

    process: subprocess.Popen[bytes]
    peer: Peer

    def send(self, text: str, remaining: int | None) -> None:
        order = {"event": {"input": text}, "remaining": remaining}
        pipe = cast("IO[bytes]", self.process.stdin)
        pipe.write(json.dumps(order).encode() + b"\n")
        pipe.flush()

    def answer(self) -> Mapping[str, Any]:
        line = cast("IO[bytes]", self.process.stdout).readline()
        answer: Mapping[str, Any] = json.loads(line)
        return answer

    def ask(self, text: str, remaining: int | None) -> tuple[Mapping[str, Any], float]:
        began = time.monotonic()
        self.send(text, remaining)
        return self.answer(), time.monotonic() - began

    def wait_for_model(self) -> bool:
        """Whether the model answers, sooner or later."""
        until = time.monotonic() + _LOADING
        while time.monotonic() < until:
            if end_of(self.ask(SENTENCES["local"], None)[0]) == "local":
                return True
        return False

    def freeze(self, seconds: float) -> None:
        """Stop every process of the sandbox, as Lambda does, and let them go on later."""
        family = [self.process.pid, *children(self.process.pid)]
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        for pid in reversed(family):
            os.kill(pid, signal.SIGCONT)


def run(share: float) -> Iterator[Check]:
    for remaining in REMAINING:
        with sandbox() as one:
            yield little_time(one, remaining, max(1, round(ROUNDS * share)))
    with ThreadPoolExecutor(len(MOMENTS)) as pool:
        yield from pool.map(lambda moment: frozen(moment, FREEZE * share), MOMENTS)


def little_time(one: Sandbox, remaining: int | None, rounds: int, grace: float = GRACE) -> Check:
    """A canned, a local and an external turn each; the provider never answers."""
    right, slowest, ends = 0, 0.0, set()
    limit = DEADLINE if remaining is None else min(DEADLINE, remaining / 1000)
    for _ in range(rounds):
        for kind, text in SENTENCES.items():
            answer, seconds = one.ask(text, remaining)
            slowest = max(slowest, seconds)
            ends.add(end_of(answer))
            right += well_formed(answer, kind) and seconds <= limit + grace
    left = "no limit given" if remaining is None else f"{remaining} ms left"
    figures = f"{slowest * 1000:.0f} ms at most; {', '.join(sorted(ends))}"
    return Check(what=f"{left}: canned, local, external", right=right, asked=rounds * len(SENTENCES), figures=figures)


def frozen(moment: str, seconds: float, grace: float = GRACE) -> Check:
    """The answer to the turn that the freeze met, if any, and to one of each kind afterwards."""
    with sandbox() as one:
        answers = []
        if moment == "between turns":
            one.freeze(seconds)
        else:
            reached, gone = threading.Event(), threading.Event()
            one.peer.play(_closing(reached, gone))
            one.send(SENTENCES[moment], None)
            if moment == "external":
                reached.wait(DEADLINE)
            else:
                time.sleep(_INTO_A_TURN)
            threading.Timer(seconds / 2, gone.set).start()
            one.freeze(seconds)
            began = time.monotonic()
            answers.append((moment, one.answer(), time.monotonic() - began))
        one.peer.play(behaviours.silence)
        answers += [(kind, *one.ask(text, None)) for kind, text in SENTENCES.items()]
        back = one.wait_for_model()
    right = sum(well_formed(answer, kind) and took <= DEADLINE + grace for kind, answer, took in answers) if back else 0
    ends = ", ".join(f"{end_of(answer)} after {took * 1000:.0f} ms" for _, answer, took in answers)
    where = moment if moment == "between turns" else f"in the middle of a turn: {moment}"
    return Check(what=f"frozen for {seconds:g} s {where}", right=right, asked=len(answers), figures=ends)


def well_formed(answer: Mapping[str, Any], kind: str) -> bool:
    """A proxy response with a reply; a canned one is always to be had."""
    body = json.loads(answer["body"])
    engines = {"canned"} if kind == "canned" else {"local", "external", "fallback"}
    return answer["statusCode"] == 200 and bool(body["reply"]) and body["engine"] in engines


def end_of(answer: Mapping[str, Any]) -> str:
    body = json.loads(answer["body"])
    return str(body.get("engine") or body.get("code"))


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """One whose model is loaded and whose provider is silent."""
    with tempfile.TemporaryDirectory() as folder, Peer([behaviours.silence]) as peer:
        pipeline = PIPELINE.format(path=ensure("smollm2"), url=peer.url)
        for name, text in {"pipeline.yml": pipeline, "replies.yml": REPLIES, "prompt.j2": "Be brief."}.items():
            (Path(folder) / name).write_text(text, "utf-8")
        env = {"MISAKI_PIPELINE": f"{folder}/pipeline.yml", "OPENAI_API_KEY": "sk-none", "USE_LOCAL_LLM": "true"}
        with child(
            [sys.executable, "-m", "tests.chaos.sandbox"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env=environment(env),
        ) as process:
            one = Sandbox(process, peer)
            if not one.wait_for_model():
                raise RuntimeError("the model does not load")
            yield one


def children(pid: int) -> Sequence[int]:
    """The processes that any thread of `pid` started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for task in tasks for word in task.read_text().split()]


def _closing(reached: threading.Event, gone: threading.Event) -> behaviours.Behaviour:
    """Takes the request and closes the connection, when told, without an answer."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        reached.set()
        gone.wait(FREEZE)

    return behave
