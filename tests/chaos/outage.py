"""Every provider is down: turns are answered all the same, and the providers are left in peace.

The gaps between turns are not waited for but skipped, on a clock that the breakers and the turns share.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from engine.core.ports import LanguageModel
from engine.resilience.breaker import BreakerPolicy
from engine.resilience.guarded import make_guard
from tests.chaos.bot import Answer, Bot, declared, make_bot, make_plan
from tests.chaos.experiment import Check
from tests.fakes.breaker import BreakerAgainstReference
from tests.fakes.clock import SkippingClock
from tests.faults import behaviours, wires
from tests.faults.peer import Behaviour, Connection, Peer
from tests.faults.stage import loaded
from tests.faults.wires import PROVIDERS, Provider

TITLE = "an outage of all providers, and the way back"
TURNS = 1_000
GAP = 0.1
"""Seconds between turns."""
CALLS_A_TURN = 1.2
CALLS_IN_TEN_SECONDS = 25
CROWD = 64
PATIENCE = 2.0
"""Seconds in which those of the crowd who may not call must have been answered."""

ROUNDS = 20
SEQUENCES = 5_000

PIPELINE = """
version: 1
name: outage
locale: ja
deadline: 3s
persona: {{name: 美砂樹}}
replies: [replies.yml]
models: {models}
steps:
  - {{id: ask, kind: generate, models: [{names}], prompt: prompt.j2}}
  - {{id: sorry, kind: say, reply: sorry, when: env.LOCAL_LLM_ALLOW_FALLBACK}}
"""
REPLIES = "replies: [{id: sorry, say: [ごめんなさいね]}]"
DOWN: dict[str, dict[Provider, Behaviour]] = {
    "503": {name: behaviours.respond(wires.refusal(name, 503).body, status=503) for name in PROVIDERS},
    "reset connections": dict.fromkeys(PROVIDERS, behaviours.reset_early),
    "silence": dict.fromkeys(PROVIDERS, behaviours.silence),
    "refused keys": {name: behaviours.respond(wires.refusal(name, 401).body, status=401) for name in PROVIDERS},
}


@dataclass(slots=True)
class Scene:
    """Bots over the same models, one that may apologise and one that may not; `calls` are times of connections."""

    clock: SkippingClock
    peers: dict[Provider, Peer]
    models: dict[str, LanguageModel]
    apologising: Bot
    honest: Bot
    calls: list[float] = field(default_factory=list)

    def play(self, provider: Provider, behaviour: Behaviour) -> None:
        def counted(connection: Connection) -> None:
            self.calls.append(self.clock())
            behaviour(connection)

        self.peers[provider].play(counted)

    def all_open(self) -> bool:
        return all(model.status().data["circuit"]["state"] == "open" for model in self.models.values())


@contextmanager
def scene(*providers: Provider) -> Iterator[Scene]:
    clock = SkippingClock()
    guard = make_guard(clock=clock)
    with ExitStack() as stack:
        peers = {name: stack.enter_context(Peer([behaviours.silence])) for name in providers}
        models: dict[str, LanguageModel] = {name: guard(loaded(name, peers[name].url), name) for name in providers}
        text = PIPELINE.format(models=declared(*providers), names=", ".join(providers))
        bots = [
            make_bot(make_plan(text, REPLIES, {"LOCAL_LLM_ALLOW_FALLBACK": allowed}), models, clock=clock)
            for allowed in ("true", "false")
        ]
        yield Scene(clock=clock, peers=peers, models=models, apologising=bots[0], honest=bots[1])


def run(share: float) -> Iterator[Check]:
    for name in DOWN:
        yield from outage(name, max(10, round(TURNS * share)))
    yield half_open(max(1, round(ROUNDS * share)))
    yield reference(max(10, round(SEQUENCES * share)))


def outage(name: str, turns: int) -> Iterator[Check]:
    with scene(*PROVIDERS) as on:
        for provider in PROVIDERS:
            on.play(provider, DOWN[name][provider])
        opened_at = None
        right = 0
        for turn in range(turns):
            right += _as_configured(on, apologises=turn % 2 == 0)
            opened_at = on.clock() if opened_at is None and on.all_open() else opened_at
            on.clock.skip(GAP)
        calls = len(on.calls)
        most = _most_in_ten_seconds([at for at in on.calls if opened_at is not None and at > opened_at])
    yield Check(what=f"{name}: turns answered as configured", right=right, asked=turns)
    yield Check(
        what=f"{name}: at most {CALLS_A_TURN} calls a turn, and {CALLS_IN_TEN_SECONDS} in ten seconds once open",
        right=int(calls <= CALLS_A_TURN * turns) + int(opened_at is not None and most <= CALLS_IN_TEN_SECONDS),
        asked=2,
        figures=f"{calls / turns:.3f} a turn, at most {most} in ten seconds",
    )


def _as_configured(on: Scene, *, apologises: bool) -> bool:
    if apologises:
        answer = on.apologising.ask("猫は好き？")
        return (answer.status, answer.end) == (200, "fallback")
    answer = on.honest.ask("猫は好き？")
    return (answer.status, answer.end) == (503, "no_answer")


def _most_in_ten_seconds(times: Sequence[float]) -> int:
    return max((sum(first <= at < first + 10.0 for at in times) for first in times), default=0)


def half_open(rounds: int, patience: float = PATIENCE) -> Check:
    """Probes are held back until everybody else has been answered."""
    with scene("openai") as on, ThreadPoolExecutor(CROWD) as pool:
        reached = [_crowd(on, pool, patience) for _ in range(rounds)]
    probes = BreakerPolicy().probes
    return Check(
        what=f"half-open: of {CROWD} turns at once {probes} reach the provider, the others are answered meanwhile",
        right=reached.count((probes, CROWD - probes)),
        asked=rounds,
        figures=f"{min(count for count, _ in reached)} to {max(count for count, _ in reached)} calls",
    )


def _crowd(on: Scene, pool: ThreadPoolExecutor, patience: float) -> tuple[int, int]:
    """Open the breaker, let its time pass, and come all at once; how many called, and how many were told sorry."""
    refusal, answer = wires.refusal("openai", 401).body, wires.answer("openai")
    on.play("openai", behaviours.respond(refusal, status=401))
    on.apologising.ask("猫は好き？")
    on.clock.skip(BreakerPolicy().open_seconds)
    go, together = threading.Event(), threading.Barrier(CROWD)
    on.calls.clear()
    on.play("openai", behaviours.held_until(go, behaviours.respond(answer)))

    def ask() -> Answer:
        together.wait()
        return on.apologising.ask("猫は好き？")

    turns = [pool.submit(ask) for _ in range(CROWD)]
    with suppress(TimeoutError):
        for answered, _ in enumerate(as_completed(turns, timeout=patience), 1):
            if answered == CROWD - BreakerPolicy().probes:
                break
    told_meanwhile = sum(turn.done() for turn in turns)
    go.set()
    ends = [turn.result().end for turn in turns]
    return len(on.calls), min(told_meanwhile, ends.count("fallback"))


def reference(sequences: int) -> Check:
    """One that disagrees raises, with the shortest sequence that does."""
    ran = [0]

    class Counted(BreakerAgainstReference):
        def teardown(self) -> None:
            ran[0] += 1

    run_state_machine_as_test(
        Counted,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=40,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    what = "the breaker does as a reference model does, in random sequences"
    return Check(what=what, right=min(ran[0], sequences), asked=sequences)
