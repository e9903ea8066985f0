"""Peers that drip a byte at a time: the turn is answered at its deadline all the same, and leaves nothing open."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.core.plan import Plan
from engine.resilience.guarded import make_guard
from tests.chaos.bot import Answer, declared, make_bot, make_plan
from tests.chaos.experiment import Check
from tests.faults import behaviours
from tests.faults.stage import Stage, stage
from tests.faults.wires import PROVIDERS

TITLE = "a provider that drips a byte at a time, ten turns at once"
DEADLINE = 1.0
GRACE = 0.05
TURNS = 100

PIPELINE = """
version: 1
name: drips
locale: ja
deadline: {deadline}s
persona: {{name: 美砂樹}}
replies: [replies.yml]
models: {models}
steps:
  - {{id: ask, kind: generate, model: {model}, prompt: prompt.j2}}
  - {{id: sorry, kind: say, reply: sorry}}
"""
REPLIES = "replies: [{id: sorry, say: [ごめんなさいね]}]"


def run(share: float) -> Iterator[Check]:
    for provider in PROVIDERS:
        with stage(provider) as on:
            for behaviour in (behaviours.drip_headers, behaviours.drip_body):
                yield from dripping(on, behaviour, max(1, round(TURNS * share)))


def dripping(
    on: Stage, behaviour: behaviours.Behaviour, turns: int, deadline: float = DEADLINE, grace: float = GRACE
) -> Iterator[Check]:
    on.peer.play(behaviour)
    plan = make_plan(PIPELINE.format(deadline=deadline, models=declared(on.provider), model=on.provider), REPLIES, {})
    _ask(on, plan)
    before = _open(on)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: _ask(on, plan), range(turns)))
    right = sum(_timed_out(answer) and answer.seconds <= deadline + grace for answer in answers)
    what = f"{on.provider}: {behaviour.__name__.replace('_', ' ')}"
    slowest = max(answer.seconds for answer in answers)
    yield Check(what=what, right=right, asked=turns, figures=f"{slowest * 1000:.0f} ms")
    after = _open(on)
    yield Check(what=f"{what}, nothing left open", right=int(after == before), asked=1, figures=f"{before} → {after}")


def _ask(on: Stage, plan: Plan) -> Answer:
    """A breaker of its own for each turn, or else it would spare the provider from the fourth on."""
    guard = make_guard()
    return make_bot(plan, {on.provider: guard(on.model, on.provider)}).ask("猫は好き？")


def _timed_out(answer: Answer) -> bool:
    reasons = [escalation["reason"] for escalation in answer.body["escalations"]]
    return (answer.status, answer.end, reasons) == (200, "fallback", ["timeout"])


def _open(on: Stage) -> tuple[int, int]:
    on.peer.settle()
    return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())
