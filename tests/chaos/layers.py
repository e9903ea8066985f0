"""How each layer of a turn may fail, as a part of the turn's own event: so that a turn can be played again.

What providers and the local model are to do stands in a mark at the end of the user's words, what the store is to do
in the session's id, and what templates and conditions meet in the user's attributes.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

from engine.conversations.items import Change, Item, Key, Put
from engine.conversations.sqlite import SqliteStorage
from engine.core.deadline import Deadline
from engine.core.errors import StoreFailed, TimedOut, Unavailable
from engine.core.ports import ModelStatus
from engine.core.turn import Completion, Engine, Prompt
from engine.models.local.model import LocalModel
from tests.faults.catalogue import FAULTS
from tests.faults.marked import mark, marked
from tests.faults.wires import PROVIDERS

FAULTY = 0.2
"""How likely each layer is to fail in a turn; then as often as needed for two layers to fail at once."""

_BAD_WORDS = {
    "empty": " 。",
    "refusal": "申し訳ありませんが、お答えできません。",
    "repetition": "猫が好きです。" * 9,
}
LOCAL = ((*_BAD_WORDS, "raises", "hangs") * 20) + ("killed", "stopped")
"""A lost process hurts the turns after it too, so it is lost more rarely than a single answer."""

STORE = ("raises", "garbage", "hangs")
ATTRIBUTES: Mapping[str, Mapping[str, Any]] = {
    "no name": {"age": 40, "place": "東京"},
    "no place": {"name": "健", "age": 40},
    "nothing": {},
    "other types": {"name": 7, "age": "四十", "place": False},
    "long": {"name": "健" * 5_000, "age": 10**400, "place": "\ud800"},
}
WHOLE = {"name": "健", "age": 40, "place": "東京"}
LAYERS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(PROVIDERS, tuple(fault.name for fault in FAULTS)),
    "local": LOCAL,
    "store": STORE,
    "templates": tuple(ATTRIBUTES),
    "event": ("refused", "web", "base64", "noise"),
}
PAIRS = tuple(combinations(LAYERS, 2))
_REFUSED = sorted((Path(__file__).resolve().parents[1] / "events" / "refused").glob("*.json"))
_LOADED = {path: json.loads(path.read_text("utf-8")) for path in _REFUSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A turn with its faults by layer; `status` is what its event must be answered with, where it is no good one."""

    seed: int
    faults: Mapping[str, str]
    event: Any
    canned: bool
    status: int | None


def planned(seed: int) -> Planned:
    chance = Random(seed)
    faults: dict[str, str] = {}
    while len(faults) < 2:
        faults = {name: chance.choice(kinds) for name, kinds in LAYERS.items() if chance.random() < FAULTY}
    canned = chance.random() < 0.2
    event, status = _event(faults, chance, canned=canned)
    return Planned(seed=seed, faults=faults, event=event, canned=canned, status=status)


def _event(faults: Mapping[str, str], chance: Random, *, canned: bool) -> tuple[Any, int | None]:
    if faults.get("event") == "refused":
        path = chance.choice(_REFUSED)
        return _LOADED[path], int(path.name[:3])
    words = chance.choice(["猫は好き？", "今日は疲れたよ", "What do you drink?"])
    if faults.get("event") == "noise":
        words = "".join(chance.choice("猫\u0300\u200b\ud800\x00\u202e 🍶〳") for _ in range(200)) + words
    words = (
        f"{'合言葉 ' if canned else ''}{words}{mark({name: faults.get(name, '') for name in (*PROVIDERS, 'local')})}"
    )
    body = {
        "input": words,
        "debug": True,
        "session_id": f"{faults.get('store', 'well')}-{chance.randrange(50)}",
        "metadata": ATTRIBUTES[faults["templates"]] if "templates" in faults else WHOLE,
    }
    match faults.get("event"):
        case "web":
            return _proxied(json.dumps(body).encode()), None
        case "base64":
            return _proxied(json.dumps(body).encode(), encoded=True), None
        case _:
            return body, None


def _proxied(body: bytes, *, encoded: bool = False) -> dict[str, Any]:
    text = base64.b64encode(body).decode() if encoded else body.decode()
    http = {"method": "POST", "path": "/chat"}
    return {"version": "2.0", "rawPath": "/chat", "requestContext": {"http": http}, "headers": {}, "body": text,
            "isBase64Encoded": encoded}  # fmt: skip


class MoodyModel:
    """A local model in its worker process, which does what the prompt's mark says."""

    engine: Engine = "local"

    def __init__(self, inner: LocalModel) -> None:
        self.inner = inner
        self.harmed_at = time.monotonic()
        """When the worker was last hurt, or started."""

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:
        match marked(prompt.text).get("local"):
            case "raises":
                raise Unavailable("out of order", backend="local", retryable=True)
            case "hangs":
                threading.Event().wait(deadline.remaining())
                raise TimedOut("no answer", backend="local")
            case "killed" | "stopped" as blow:
                with _soon(lambda: self._strike(signal.SIGKILL if blow == "killed" else signal.SIGSTOP)):
                    return self.inner.generate(prompt, deadline)
            case str(words) if words in _BAD_WORDS:
                return Completion(text=_BAD_WORDS[words], finish_reason="stop", model="moody")
            case _:
                return self.inner.generate(prompt, deadline)

    def status(self) -> ModelStatus:
        return self.inner.status()

    def close(self) -> None:
        self.inner.close()

    def _strike(self, blow: signal.Signals) -> None:
        self.harmed_at = time.monotonic()
        process = self.inner.status().data.get("pid")
        if process is not None:
            os.kill(process, blow)


@contextmanager
def _soon(strike: Callable[[], None]) -> Iterator[None]:
    timer = threading.Timer(0.005, strike)
    timer.start()
    try:
        yield
    finally:
        timer.join()


class MoodyStorage(SqliteStorage):
    """Does what the room's id says."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__(path)
        self._seconds = seconds

    def get(self, keys: Sequence[Key]) -> Mapping[Key, Item]:
        if self._fails(keys[0]):
            return {keys[0]: Item(key=keys[0], data='{"turns": "many"', expires=2**40)}
        return super().get(keys)

    def write(self, changes: Sequence[Change]) -> None:
        self._fails(changes[0].item.key if isinstance(changes[0], Put) else changes[0].key)
        super().write(changes)

    def _fails(self, key: Key) -> bool:
        mood = key.partition.removeprefix("A#").partition("-")[0]
        if mood == "raises":
            raise StoreFailed("out of order")
        if mood == "hangs":
            threading.Event().wait(self._seconds)
        return mood == "garbage"
