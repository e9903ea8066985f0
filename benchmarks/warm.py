"""A warm canned turn through the handler, from event to response, and where its time goes; and how soon the first byte
of one comes that is streamed by the web server.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import IO, Any, Self, cast

from benchmarks.cold import built
from benchmarks.corpus import misheard
from benchmarks.machine import CACHE, PYTHON, ROOT, environment
from benchmarks.measure import Row, Samples, Take, alternate, timed
from benchmarks.peers import installed, packages
from engine.api.body import read_payload
from engine.api.chat import read_chat
from engine.api.policy import Policy
from engine.api.response import respond, result_payload, to_json
from engine.app import App, load_app
from engine.aws.event import read_event
from engine.aws.handler import make_handler, proxy_response
from engine.chat.step_runner import names_of
from engine.core.record import field_names
from engine.core.turn import ChatRequest, Turn
from engine.expressions.evaluate import holds
from engine.text.normalise import normalise
from tests.children import child, first_line

REPLIES = 1_000
MICROSECONDS = (1e6, "µs")
TEXTS = 200
BLOCK = 50
"""Turns in a row."""

RIVESCRIPT = """
import json, sys, time
from rivescript import RiveScript
bot = RiveScript(utf8=True)
bot.stream(json.loads(sys.stdin.readline()))
bot.sort_replies()
for text in sys.stdin:
    began = time.perf_counter()
    bot.reply("guest", text.strip())
    print(time.perf_counter() - began, flush=True)
"""


def rows(rounds: int) -> Iterator[Row]:
    """Microseconds for each turn, for words that are a trigger and for words with a slip in them."""
    file, texts = built(REPLIES)
    env = {"MISAKI_PIPELINE": str(file), "USE_LOCAL_LLM": "false"}
    app = load_app(env)
    said = random.Random(1).sample(texts, TEXTS)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, ExitStack() as peers:
        handler = make_handler(app, env, log=lambda record: print(to_json(record), file=nowhere))
        sides: dict[str, Take] = {
            "exact": _each(lambda text: handler(_event(text), None), said),
            "close": _each(lambda text: handler(_event(text), None), _heard(app, texts)),
        }
        if "rivescript" in installed():
            sides["rivescript"] = peers.enter_context(_Peer(RIVESCRIPT, _brain(texts), said)).take
        times = alternate(sides, rounds, blocks={"exact": BLOCK, "close": BLOCK})
        parts = _parts(app, env, said, rounds)
    streamed = _first_bytes(file, said, rounds)
    what = f"warm turn, {REPLIES:,} replies"
    yield Row(id="warm.exact", what=f"{what}, word for word", ours=times["exact"], at_most=300, unit=MICROSECONDS)
    yield Row(id="warm.close", what=f"{what}, words with a slip", ours=times["close"], unit=MICROSECONDS)
    if "rivescript" in times:
        yield Row(
            id="warm.rivescript",
            what=f"{what}, word for word",
            ours=times["exact"],
            peer="RiveScript, reply alone",
            theirs=times["rivescript"],
            unit=MICROSECONDS,
        )
    yield Row(
        id="warm.first-byte",
        what=f"{what}, streamed by `misaki serve`: first byte",
        ours=streamed["ours"],
        peer="uvicorn with an application that streams a constant",
        theirs=streamed["constant"],
        at_least=round(1 / 1.3, 2),
        unit=MICROSECONDS,
    )
    for name, samples in parts.items():
        share = f"{samples.median / times['exact'].median:.0%} of the turn"
        yield Row(id=f"warm.part-{name}", what=f"word for word: {name}", ours=samples, peer=share, unit=MICROSECONDS)


def _event(text: str) -> dict[str, Any]:
    """As an HTTP API sends it."""
    return {
        "version": "2.0",
        "rawPath": "/chat",
        "headers": {"content-type": "application/json", "origin": "https://example.com"},
        "requestContext": {"http": {"method": "POST", "path": "/chat"}, "stage": "$default"},
        "body": json.dumps({"input": text, "session_id": "s-1"}, ensure_ascii=False),
        "isBase64Encoded": False,
    }


def _heard(app: App, texts: Sequence[str]) -> list[str]:
    """Sentences with a slip that still get a canned reply."""
    found = (misheard(text) for text in random.Random(2).sample(texts, TEXTS * 2))
    return [text for text in found if app.reply(ChatRequest(text=text)).outcome.engine == "canned"][:TEXTS]


def _each(work: Callable[[str], object], texts: Sequence[str]) -> Take:
    turns = cycle(texts)
    return timed(lambda: work(next(turns)))


def _first_bytes(file: Path, texts: Sequence[str], rounds: int) -> dict[str, Samples]:
    """Seconds from a question to the first event, on a connection that stays open; each server is a process."""
    env = {**os.environ, "MISAKI_PIPELINE": str(file), "USE_LOCAL_LLM": "false", "MISAKI_ENV_FILE": "off"}
    sides = {
        "ours": ("engine", "serve", "--port", "0"),
        "constant": ("uvicorn", "benchmarks.constant:stream", "--port", "0", "--no-access-log"),
    }
    with ExitStack() as stack:
        takes = {}
        for name, command in sides.items():
            running = stack.enter_context(
                child(
                    [sys.executable, "-m", *command],
                    env=env,
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
            found = first_line(running.stdout, lambda line: re.search(r"http://127\.0\.0\.1:(\d+)", line))
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", int(found[1])), timeout=60))
            takes[name] = _asking(connection, texts)
        return alternate(takes, rounds, blocks=dict.fromkeys(takes, BLOCK))


def _asking(connection: socket.socket, texts: Sequence[str]) -> Take:
    turns = cycle(texts)

    def take() -> float:
        body = json.dumps({"input": next(turns), "stream": True}, ensure_ascii=False).encode()
        head = f"POST /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        began, heard = time.perf_counter(), b""
        connection.sendall(head.encode() + body)
        while b"\r\n\r\n" not in heard or b"event: " not in heard:
            heard += connection.recv(65536)
        seconds = time.perf_counter() - began
        while not heard.endswith(b"\r\n0\r\n\r\n"):
            heard += connection.recv(65536)
        if b"event: done" not in heard:
            raise RuntimeError(f"the server answered {heard[:300]!r}")
        return seconds

    return take


def _parts(app: App, env: Mapping[str, str], said: Sequence[str], rounds: int) -> dict[str, Samples]:
    """What the parts of a turn take alone; `turn` is the application's whole part, matching and conditions in it."""
    policy = Policy.from_env(env)
    event = read_event(_event(said[0]))
    result = app.reply(ChatRequest(text=said[0], session_id="s-1"))
    index, plan = app.plan.index, app.plan
    conditions = [reply.when for reply in plan.replies[:100] if reply.when is not None]
    turn = Turn(text=said[0], now=datetime.now(app.zone), session_id="s-1")
    names = names_of(plan, turn)
    turns = cycle(conditions)
    happened = result.outcome.trace
    trace = [(type(event), {name: getattr(event, name) for name in field_names(type(event))}) for event in happened]
    sides: dict[str, Take] = {
        "reading the event": _each(lambda text: read_chat(read_payload(read_event(_event(text)).request)), said),
        "normalising": _each(normalise, said),
        "matching, normalising in it": _each(lambda text: next(iter(index.candidates(text, 80.0))), said),
        "one condition": timed(lambda: holds(next(turns), names)),
        "the turn, matching and trace in it": _each(lambda text: app.reply(ChatRequest(text=text)), said),
        "trace": timed(lambda: [kind(**fields) for kind, fields in trace]),
        "serialising": timed(
            lambda: proxy_response(event, respond(event.request, policy, *result_payload(result, with_trace=False), {}))
        ),
    }
    return alternate(sides, rounds, blocks=dict.fromkeys(sides, BLOCK))


def _brain(texts: Sequence[str]) -> str:
    """The same triggers in RiveScript, which answers word for word only."""
    return "! version = 2.0\n" + "".join(f"+ {text}\n- {text}のね。\n\n" for text in texts)


class _Peer:
    """A peer's process that answers one text at a time and says how long it took."""

    def __init__(self, code: str, brain: str, texts: Sequence[str]) -> None:
        self._code, self._brain, self._texts = code, brain, cycle(texts)

    def __enter__(self) -> Self:
        CACHE.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [PYTHON, "-S", "-c", self._code],
            env=environment(str(packages())),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._say(json.dumps(self._brain))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def take(self) -> float:
        self._say(next(self._texts))
        return float(cast("IO[str]", self._process.stdout).readline())

    def _say(self, line: str) -> None:
        pipe = cast("IO[str]", self._process.stdin)
        pipe.write(f"{line}\n")
        pipe.flush()
