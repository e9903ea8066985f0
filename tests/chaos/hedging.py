"""A provider that is slow at times, without a hedge and with one: how long turns take, what that costs, and what is
left of the calls that lost.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from engine.model.ports import LanguageModel
from engine.running.guarded import make_guard
from tests.chaos.bot import Answer, Bot, declared, make_bot, make_plan
from tests.chaos.experiment import Check
from tests.faults import behaviours, wires
from tests.faults.peer import Connection, Peer
from tests.faults.stage import loaded
from tests.faults.wires import PROVIDERS, Provider

TITLE = "a provider that is slow once in twenty calls, hedged after a tenth of the time"
TURNS = 1_000
LANES = 4
SLOW_SHARE = 0.05
SLOW, QUICK = 1.5, 0.05
"""Seconds until a provider answers."""

DEADLINE, HEDGE = 4.0, 0.1
MOST = DEADLINE * HEDGE + QUICK + 0.05
"""Seconds for a hedged turn: the wait, the second model's answer, and as much as the other experiments allow."""

PIPELINE = """
version: 1
name: hedging
locale: ja
deadline: {deadline}s
persona: {{name: 美砂樹}}
replies: [replies.yml]
models: {models}
steps:
  - {{id: ask, kind: generate, models: [{names}], prompt: prompt.j2{hedge}}}
  - {{id: sorry, kind: say, reply: sorry}}
"""
REPLIES = "replies: [{id: sorry, say: [ごめんなさいね]}]"


@dataclass(slots=True)
class Scene:
    """Bots over the same models; `left` counts the slow calls whose client did not wait for the end."""

    peers: dict[Provider, Peer]
    models: dict[str, LanguageModel]
    plain: Bot
    hedged: Bot
    slow: int = 0
    left: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def turns(self, bot: Bot, number: int, *, slow_share: float = SLOW_SHARE, slow: float = SLOW) -> list[Answer]:
        """Ask `bot` so often, while the first provider is slow as chance will have it and the other never."""
        self.slow = self.left = 0
        chance = Random(number)
        first, second = self.peers
        self._play(first, lambda: chance.random() < slow_share, slow)
        self._play(second, lambda: False, slow)
        with ThreadPoolExecutor(LANES) as pool:
            return list(pool.map(lambda _: bot.ask("猫は好き？"), range(number)))

    def _play(self, provider: Provider, is_slow: Callable[[], bool], slow: float) -> None:
        answer = wires.answer(provider)

        def behave(connection: Connection) -> None:
            with self.lock:
                slowly = is_slow()
                self.slow += slowly
            try:
                behaviours.slowly(answer, slow if slowly else QUICK)(connection)
            except ConnectionError:
                self.left += slowly
                raise

        self.peers[provider].play(behave)

    def open(self) -> tuple[int, int]:
        """Threads and descriptors, when all connections have ended."""
        for peer in self.peers.values():
            peer.settle()
        for thread in threading.enumerate():
            if thread.name == "misaki-hedge":
                thread.join()
        return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())


@contextmanager
def scene(*providers: Provider) -> Iterator[Scene]:
    with ExitStack() as stack:
        peers = {name: stack.enter_context(Peer([behaviours.silence])) for name in providers}
        guard = make_guard()
        models: dict[str, LanguageModel] = {name: guard(loaded(name, peers[name].url), name) for name in providers}
        bots = []
        for hedge in ("", f", hedge: {HEDGE:.0%}"):
            text = PIPELINE.format(
                deadline=DEADLINE, models=declared(*providers), names=", ".join(providers), hedge=hedge
            )
            bots.append(make_bot(make_plan(text, REPLIES, {}), models))
        yield Scene(peers=peers, models=models, plain=bots[0], hedged=bots[1])


def run(share: float) -> Iterator[Check]:
    turns = max(20, round(TURNS * share / len(PROVIDERS)))
    for place, first in enumerate(PROVIDERS):
        yield from hedging(first, PROVIDERS[place - 1], turns)


def hedging(first: Provider, second: Provider, turns: int) -> Iterator[Check]:
    with scene(first, second) as on:
        plain = on.turns(on.plain, turns)
        before = on.open()
        hedged = on.turns(on.hedged, turns)
        yield Check(
            what=f"{first}, then {second}: hedged turns that a model answered by {MOST:g} s",
            right=sum(answer.end == "external" and answer.seconds <= MOST for answer in hedged),
            asked=turns,
            figures=f"99 of 100 in {_late(hedged)}, without a hedge in {_late(plain)}",
        )
        yield cost(on, turns)
        yield losers(on, hedged, before)


def cost(on: Scene, turns: int) -> Check:
    calls = sum(len(peer.received) for peer in on.peers.values())
    return Check(
        what="one more call for each slow one, and no others",
        right=int(calls == turns + on.slow),
        asked=1,
        figures=f"{calls:,} calls for {turns:,} turns, {on.slow} of them slow",
    )


def losers(on: Scene, hedged: Sequence[Answer], before: tuple[int, int]) -> Check:
    after = on.open()
    circuits = [model.status().data["circuit"] for model in on.models.values()]
    told = sum(answer.body["usage"].get("cancelled_calls", 0) for answer in hedged)
    ended = (
        on.left == on.slow == told,
        after == before,
        all(circuit["failures"] == circuit["slow"] == 0 for circuit in circuits),
    )
    return Check(
        what="calls that lost are ended and told, leave no thread or descriptor, and no mark on the breaker",
        right=sum(ended),
        asked=len(ended),
        figures=f"{on.left} ended, (threads, descriptors) {before} → {after}",
    )


def _late(answers: Sequence[Answer]) -> str:
    return f"{statistics.quantiles([answer.seconds for answer in answers], n=100)[98] * 1000:.0f} ms"
