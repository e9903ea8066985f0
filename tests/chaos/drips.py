"""Peers that drip a byte at a time: the call ends at the deadline all the same, and leaves nothing open."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.model.errors import TimedOut
from tests.chaos.experiment import Check
from tests.faults import behaviours
from tests.faults.stage import Stage, stage
from tests.faults.wires import PROVIDERS

TITLE = "a provider that drips a byte at a time, ten calls at once"
DEADLINE = 1.0
GRACE = 0.05
CALLS = 100


def run(share: float) -> Iterator[Check]:
    for provider in PROVIDERS:
        with stage(provider) as on:
            for behaviour in (behaviours.drip_headers, behaviours.drip_body):
                yield from dripping(on, behaviour, max(1, round(CALLS * share)))


def dripping(
    on: Stage, behaviour: behaviours.Behaviour, calls: int, deadline: float = DEADLINE, grace: float = GRACE
) -> Iterator[Check]:
    on.ask(behaviour, deadline)
    before = _open(on)
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda _: _ask(on, behaviour, deadline), range(calls)))
    right = sum(timed_out and seconds <= deadline + grace for timed_out, seconds in results)
    what = f"{on.provider}: {behaviour.__name__.replace('_', ' ')}"
    slowest = max(seconds for _, seconds in results)
    yield Check(what=what, right=right, asked=calls, figures=f"{slowest * 1000:.0f} ms")
    after = _open(on)
    yield Check(what=f"{what}, nothing left open", right=int(after == before), asked=1, figures=f"{before} → {after}")


def _ask(on: Stage, behaviour: behaviours.Behaviour, deadline: float) -> tuple[bool, float]:
    began = time.monotonic()
    result = on.ask(behaviour, deadline)
    return type(result) is TimedOut, time.monotonic() - began


def _open(on: Stage) -> tuple[int, int]:
    on.peer.settle()
    return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())
