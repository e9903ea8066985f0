"""Streams that break: every fault of a provider before, inside and after the first sentence, and guests who leave.

Each turn runs through the web server on loopback, and what its client hears is judged: an end there must be, once, in
time; nothing said twice or taken back; nothing of what was refused.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

from engine.app import App
from engine.conversations import open_store
from engine.core.deadline import Deadline
from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel, ModelStatus
from engine.core.turn import Completion, Engine, Piece, Prompt
from engine.models.local.model import LocalModel
from engine.models.local.settings import read_settings
from engine.models.local.worker.child import worker_command
from engine.models.local.worker.start import settings_to_json
from engine.models.local.worker.supervisor import Supervisor
from engine.models.providers.external import ExternalModel
from engine.resilience.guarded import GuardedModel, make_guard
from tests.chaos.bot import declared, make_plan
from tests.chaos.experiment import Check
from tests.fakes.serving import Serving, heard
from tests.faults import behaviours, wires
from tests.faults.catalogue import FAULTS, Fault
from tests.faults.peer import Behaviour, Connection, Peer
from tests.faults.stage import loaded
from tests.faults.wires import PROVIDERS, Provider
from tools.demo_model import ensure

TITLE = "streams that break before, inside and after the first sentence, and guests who leave"
DEADLINE = 2.0
TIMEOUT = 0.7
GRACE = 0.1
SEEDS = 5
GUESTS = 500
FREE = 0.2
"""Seconds in which a model is free again when its guest has left."""
_MOST_GROWN = 8_000_000
"""Bytes by which a process may grow after the first tenth of the guests."""

FIRST, SECOND, THIRD, CLOSING = (
    "まあ、猫ちゃんね。",
    "名前はもう決めたの？",
    "今度連れてきてね。",
    "ごめんね、呼ばれちゃった。",
)
NEXT = "あら、猫はいいわね。よく寝るのよ。"
REFUSED = "申し訳ありませんが、その質問にはお答えできません。"
THOUGHT = "客は寂しいのだ。"
PIPELINE = """
version: 1
name: streams
locale: ja
deadline: {deadline}s
persona: {{name: 美砂樹}}
replies: [replies.yml]
closing: {closing}
models: {models}
steps:
  - {{id: ask, kind: generate, model: {asked}, prompt: prompt.j2, timeout: {timeout}s, escalate_when: [refusal]}}
  - {{id: ask_next, kind: generate, model: {next}, prompt: prompt.j2, escalate_when: [refusal]}}
  - {{id: sorry, kind: say, reply: sorry}}
"""
LOCAL_PIPELINE = """
version: 1
name: worker
locale: en
deadline: 20s
persona: {name: Misaki}
replies: [replies.yml]
models: {small: {backend: scripted, answers: [Hello.]}}
steps:
  - {id: ask, kind: generate, model: small, prompt: prompt.j2}
  - {id: sorry, kind: say, reply: sorry}
"""
_LOCAL_SETTINGS = {"threads": 1, "max_tokens": 256, "context": 1024, "cache": "off", "temperature": 0.0}
STORY = "Tell me a very long story about the sea."
REPLIES = "replies: [{id: sorry, say: [ごめんなさいね]}]"

Place = Literal["before", "inside", "after"]
SAID: Mapping[Place, Sequence[str]] = {
    "before": (),
    "inside": (FIRST[:4], FIRST[4:7]),
    "after": (FIRST[:4], FIRST[4:], SECOND[:3]),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A way in which a stream goes on behind its good beginning, instead of to its end."""

    name: str
    go_on: Callable[[Connection, Provider], None]


def _events(*texts: str) -> Callable[[Connection, Provider], None]:
    """A stream that goes on with `texts` to a good end."""

    def go_on(connection: Connection, provider: Provider) -> None:
        for event in wires.events(provider, texts)[1:]:
            _chunk(connection, event)
        connection.send(b"0\r\n\r\n")

    return go_on


def _endless(connection: Connection, provider: Provider) -> None:
    event = wires.events(provider, ["あ" * 4000], finish=None)[-1]
    while True:
        _chunk(connection, event)


def _dripping(connection: Connection, provider: Provider) -> None:
    event = b"".join(wires.events(provider, [SECOND, THIRD], finish=None))
    connection.drip(b"".join(b"1\r\n" + event[place : place + 1] + b"\r\n" for place in range(len(event))), 0.02)


def _error(connection: Connection, provider: Provider) -> None:
    _chunk(connection, wires.broken_event(provider))
    connection.send(b"0\r\n\r\n")


def _half(connection: Connection, provider: Provider) -> None:
    event = wires.events(provider, [SECOND])[1]
    _chunk(connection, event[: len(event) // 2])
    connection.send(b"0\r\n\r\n")


def _thinking(connection: Connection, provider: Provider) -> None:
    for event in wires.events(provider, ["<thi", "nk>", THOUGHT, THOUGHT], finish=None):
        _chunk(connection, event)
    connection.reset()


BROKEN = (
    Broken(name="cut", go_on=lambda _connection, _provider: None),
    Broken(name="ended without an end", go_on=lambda connection, _provider: connection.send(b"0\r\n\r\n")),
    Broken(name="reset", go_on=lambda connection, _provider: connection.reset()),
    Broken(name="silence", go_on=lambda connection, _provider: connection.hold()),
    Broken(name="dripping", go_on=_dripping),
    Broken(name="no chunk", go_on=lambda connection, _provider: connection.send(b"-1\r\nxx\r\n")),
    Broken(name="half an event", go_on=_half),
    Broken(name="no event", go_on=lambda connection, _provider: _chunk(connection, b"data: [[[[\n\n" + b"\0" * 64)),
    Broken(name="an error as an event", go_on=_error),
    Broken(name="endless", go_on=_endless),
    Broken(name="a refused sentence", go_on=_events(REFUSED, THIRD)),
    Broken(name="cut off in a thought", go_on=_thinking),
)


def run(share: float) -> Iterator[Check]:
    yield from check(BROKEN, max(1, round(SEEDS * share)))
    yield from leaving(max(10, round(GUESTS * share)))
    yield from leaving_the_worker(ensure("smollm2"), max(10, round(GUESTS * share)))


def check(
    broken: Sequence[Broken],
    seeds: int,
    *,
    grace: float = GRACE,
    timeout: float = TIMEOUT,
    faults: Sequence[Fault] = FAULTS,
) -> Iterator[Check]:
    """Every way to break at every place, with `seeds`; and `faults` of whole answers."""
    before = _open()
    with ThreadPoolExecutor(len(PROVIDERS)) as pool:
        for results in zip(
            *pool.map(lambda name: list(_cases(name, broken, seeds, grace, timeout, faults)), PROVIDERS), strict=True
        ):
            name, tried = results[0][0], [wrong for _, found in results for wrong in found]
            wrong = dict.fromkeys(word for words in tried for word in words)
            yield Check(what=name, right=sum(not words for words in tried), asked=len(tried), figures="; ".join(wrong))
    after = _settled(before)
    yield Check(
        what="no thread, no socket left", right=int(_is_no_more(after, before)), asked=1, figures=f"{before} → {after}"
    )


def _cases(  # noqa: PLR0917  a table's dimensions
    provider: Provider, broken: Sequence[Broken], seeds: int, grace: float, timeout: float, faults: Sequence[Fault]
) -> Iterator[tuple[str, list[list[str]]]]:
    """For each fault, what was wrong with its turns."""
    with _bar(provider, timeout) as bar:
        bar.turn(_stream(provider, (), _events(FIRST), Random(0)))
        for way in broken:
            for place in SAID:
                turns = [bar.turn(_stream(provider, SAID[place], way.go_on, Random(seed))) for seed in range(seeds)]
                yield f"{way.name}, {place}", [list(_wrong(turn, place, grace)) for turn in turns]
        for fault in faults:
            chances = [Random(seed) for seed in range(seeds)]
            turns = [bar.turn(behaviours.unsteady(fault.behave(provider), chance)) for chance in chances]
            yield f"{fault.name}, before", [list(_wrong(turn, "before", grace)) for turn in turns]


def _stream(
    provider: Provider, said: Sequence[str], go_on: Callable[[Connection, Provider], None], chance: Random
) -> Behaviour:
    def behave(connection: Connection) -> None:
        connection.read_request()
        head = {"Content-Type": wires.content_type(provider), "Transfer-Encoding": "chunked"}
        connection.send(behaviours.head(200, head, None))
        for event in wires.events(provider, said, finish=None):
            _chunk(connection, event)
            if chance.random() < 0.3:
                connection.linger(chance.random() * 0.02)
        go_on(connection, provider)

    return behave


def _chunk(connection: Connection, data: bytes) -> None:
    connection.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    raw: str
    seconds: float

    @property
    def events(self) -> list[tuple[str, Any]]:
        frames = [frame for frame in self.raw.split("\n\n") if frame and not frame.startswith(":")]
        pairs = [frame.removeprefix("event: ").split("\ndata: ") for frame in frames]
        return [(name, json.loads(data)) for name, data in pairs]


def _wrong(turn: Turn, place: Place, grace: float) -> Iterator[str]:
    events = turn.events
    ends = [name for name, _ in events if name in {"done", "error"}]
    if ends != ["done"] or events[-1][0] != "done":
        yield f"ends: {ends}"
        return
    done, said = events[-1][1], [told["text"] for name, told in events if name == "sentence"]
    if [told["index"] for name, told in events if name == "sentence"] != list(range(len(said))):
        yield "sentences out of order"
    if "".join(said) != done["reply"]:
        yield "done is not what was said"
    if len(set(said)) != len(said):
        yield "said twice"
    # Whole answers of the catalogue are asked for again, and may be good then.
    if place == "after" and (done["reply"] != FIRST + CLOSING or done["finish_reason"] != "interrupted"):
        yield f"after it: {done['reply']}"
    if place != "after" and (FIRST[:4] in turn.raw or CLOSING in turn.raw):
        yield "something of a broken answer"
    if any(words in turn.raw for words in (REFUSED[:6], THOUGHT[:4], wires.SECRET, SECOND[:3])):
        yield "something that must not be said"
    if turn.seconds > DEADLINE + grace:
        yield f"{turn.seconds:.2f} s"


class _Fresh:
    """A model with a breaker of its own for each turn, or else it would spare the provider from the fourth on."""

    engine: Engine = "external"

    def __init__(self, name: str, inner: ExternalModel) -> None:
        self._name, self._inner = name, inner

    def _guarded(self) -> GuardedModel:
        return make_guard()(self._inner, self._name)

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:
        return self._guarded().generate(prompt, deadline)

    def stream(self, prompt: Prompt, deadline: Deadline) -> Generator[Piece, None, Completion]:
        return self._guarded().stream(prompt, deadline)

    def status(self) -> ModelStatus:
        return self._inner.status()

    def close(self) -> None:
        self._inner.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    """A bot behind the web server, whose first model is at `peer`."""

    serving: Serving
    peer: Peer
    answer: Behaviour

    def turn(self, behaviour: Behaviour) -> Turn:
        self.peer.play(behaviour)
        began = time.monotonic()
        with self.connect() as connection:
            raw = heard(connection)
        seconds = time.monotonic() - began
        head, _, body = raw.partition(b"\r\n\r\n")
        assert b"text/event-stream" in head, head
        return Turn(raw=_dechunked(body), seconds=seconds)

    def connect(self) -> socket.socket:
        return _asked(self.serving, "猫を飼い始めたんだ")


def _asked(serving: Serving, text: str) -> socket.socket:
    """A client's connection that has asked for a stream."""
    connection = serving.connect()
    body = json.dumps({"input": text, "stream": True}).encode()
    head = f"POST /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def _dechunked(body: bytes) -> str:
    """The parts of a body that ends as it should."""
    parts = b""
    while True:
        size, _, rest = body.partition(b"\r\n")
        if not int(size, 16):
            assert rest == b"\r\n"
            return parts.decode()
        parts, body = parts + rest[: int(size, 16)], rest[int(size, 16) + 2 :]


@contextmanager
def _bar(provider: Provider, timeout: float) -> Iterator[_Bar]:
    behind = PROVIDERS[(PROVIDERS.index(provider) + 1) % len(PROVIDERS)]
    pipeline = PIPELINE.format(
        deadline=DEADLINE,
        timeout=timeout,
        closing=CLOSING,
        models=declared(provider, behind),
        asked=provider,
        next=behind,
    )
    answer = _stream(behind, (), _events(NEXT), Random(0))
    with ExitStack() as stack:
        first, second = (stack.enter_context(Peer([one])) for one in (behaviours.silence, answer))
        models: dict[str, LanguageModel] = {
            name: _Fresh(name, loaded(name, peer.url)) for name, peer in ((provider, first), (behind, second))
        }
        app = App(make_plan(pipeline, REPLIES, {}), models=models, rooms=open_store("memory"))
        serving = Serving(app, None, "127.0.0.1", {})
        stack.callback(serving.server.stop, 30)
        yield _Bar(serving=serving, peer=first, answer=answer)


def leaving(guests: int, *, free: float = FREE, deadline: float = 20.0) -> Iterator[Check]:
    """Guests who leave after the first sentence: the call of their model ends, and nothing of them stays."""
    provider: Provider = "openai"
    ended: list[float] = []
    freed = threading.Event()

    stream = _stream(provider, SAID["after"], lambda connection, _provider: connection.hold(), Random(0))

    def held(connection: Connection) -> None:
        try:
            stream(connection)
        finally:
            ended.append(time.monotonic())
            freed.set()

    before = _open()
    with _bar(provider, deadline) as bar:
        waits = [_leave(bar, held, freed, ended) for _ in range(guests // 10)]
        memory = _memory()
        waits += [_leave(bar, held, freed, ended) for _ in range(guests - len(waits))]
        grown = _memory() - memory
        grew = f"{memory / 1e6:.1f} → {(memory + grown) / 1e6:.1f} MB"
        broken = _stream(provider, (), lambda connection, _provider: connection.reset(), Random(0))
        is_well = not list(_wrong(bar.turn(broken), "before", deadline))
    free_again, figures = sum(one <= free for one in waits), f"slowest {max(waits) * 1000:.0f} ms"
    yield Check(what="free again when the guest has left", right=free_again, asked=guests, figures=figures)
    yield Check(what="memory stays", right=int(grown < _MOST_GROWN), asked=1, figures=grew)
    yield Check(what="the next guest is answered", right=int(is_well), asked=1)
    after = _settled(before)
    yield Check(
        what="no thread, no socket left", right=int(_is_no_more(after, before)), asked=1, figures=f"{before} → {after}"
    )


def _leave(bar: _Bar, behaviour: Behaviour, freed: threading.Event, ended: list[float]) -> float:
    """Seconds from a guest's leaving to the end of the call."""
    freed.clear()
    bar.peer.play(behaviour)
    with bar.connect() as connection:
        told = b""
        while FIRST.encode() not in told:
            told += connection.recv(65536)
        left = time.monotonic()
    assert freed.wait(30)
    return ended[-1] - left


def leaving_the_worker(path: Path, guests: int, *, free: float = FREE) -> Iterator[Check]:
    """The same with the local model at `path`, whose worker is writing the second sentence when a guest leaves."""
    row = ModelRow(id="small", backend="llama.cpp", settings=_LOCAL_SETTINGS | {"path": str(path)})
    settings = read_settings(row, {})
    order = {"op": "load", "settings": settings_to_json(settings)}
    supervisor = Supervisor(worker_command({}), (row.backend,), order)
    app = App(
        make_plan(LOCAL_PIPELINE, REPLIES, {}),
        models={"small": LocalModel(row, settings, supervisor)},
        rooms=open_store("memory"),
    )
    serving = Serving(app, None, "127.0.0.1", {})
    try:
        waits = [_leave_worker(serving, supervisor) for _ in range(guests // 10)]
        before = _memory(supervisor.report().pid)
        waits += [_leave_worker(serving, supervisor) for _ in range(guests - len(waits))]
        after = _memory(supervisor.report().pid)
    finally:
        serving.server.stop(30)
        app.close()
    free_again, figures = sum(one <= free for one in waits), f"slowest {max(waits) * 1000:.0f} ms"
    yield Check(what="a worker is free again", right=free_again, asked=guests, figures=figures)
    figures = f"{before / 1e6:.1f} → {after / 1e6:.1f} MB"
    yield Check(what="its memory stays", right=int(after - before < _MOST_GROWN), asked=1, figures=figures)
    starts = supervisor.report().starts
    yield Check(what="it is the same worker", right=int(starts == 1), asked=1, figures=f"{starts} started")


def _leave_worker(serving: Serving, supervisor: Supervisor) -> float:
    """Seconds from a guest's leaving in mid-answer to the worker's confirmation that it has stopped."""
    with _asked(serving, STORY) as connection:
        told = b""
        while b"event: sentence" not in told:
            told += (said := connection.recv(65536))
            assert said, told
        assert b"event: done" not in told, told
    left = time.monotonic()
    with supervisor._changed:
        assert supervisor._changed.wait_for(lambda: not supervisor._exchanges, 30)
    return time.monotonic() - left


def _memory(process: int | str | None = "self") -> int:
    """Bytes of `process` that are in memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    return pages * 4096


def _open() -> tuple[int, int]:
    return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())


def _settled(before: tuple[int, int]) -> tuple[int, int]:
    """What is open once the threads that have nothing to do have ended."""
    until = time.monotonic() + 20
    while not _is_no_more(_open(), before) and time.monotonic() < until:
        time.sleep(0.05)
    return _open()


def _is_no_more(after: tuple[int, int], before: tuple[int, int]) -> bool:
    return after[0] <= before[0] and after[1] <= before[1]
