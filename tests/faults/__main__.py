"""Every fault against every provider, several times, as a table: `python -m tests.faults [--rounds N]`.

Unlike the tests it looks at the clock: an answer must be there by the deadline and 50 ms. Ends with 1 when any is not,
or has the wrong type.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from engine.model.errors import BackendError, TimedOut
from engine.model.turn import Completion
from tests.faults import behaviours, wires
from tests.faults.catalogue import FAULTS, Fault
from tests.faults.stage import Stage, stage
from tests.faults.wires import PROVIDERS

DEADLINE = 1.0
GRACE = 0.05
DRIPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`passed` of `asked` calls were as they should be; `slowest` is in seconds."""

    passed: int
    asked: int
    slowest: float

    @property
    def clean(self) -> bool:
        return self.passed == self.asked

    def __str__(self) -> str:
        return f"{self.passed}/{self.asked}  {self.slowest * 1000:6.0f} ms"


def faults(on: Stage, fault: Fault, rounds: int) -> Score:
    results = [_timed(on, fault.behave(on.provider)) for _ in range(rounds)]
    return _score([(_as_expected(result, fault), seconds) for result, seconds in results])


def drips(on: Stage, behaviour: behaviours.Behaviour) -> Score:
    """Ten at a time; counts threads and descriptors before and after as one more call that must be right."""
    on.ask(behaviour, DEADLINE)
    before = _open(on)
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda _: _timed(on, behaviour), range(DRIPS)))
    checks = [(type(result) is TimedOut, seconds) for result, seconds in results]
    return _score([*checks, (_open(on) == before, 0.0)])


def _timed(on: Stage, behaviour: behaviours.Behaviour) -> tuple[Completion | BackendError, float]:
    began = time.monotonic()
    result = on.ask(behaviour, DEADLINE)
    return result, time.monotonic() - began


def _as_expected(result: Completion | BackendError, fault: Fault) -> bool:
    if isinstance(result, Completion):
        return False
    told = "".join(traceback.format_exception(result)) + repr(vars(result))
    return type(result) is fault.raises and result.retryable == fault.retryable and wires.SECRET not in told


def _score(checks: Sequence[tuple[bool, float]]) -> Score:
    passed = sum(right and seconds <= DEADLINE + GRACE for right, seconds in checks)
    return Score(passed=passed, asked=len(checks), slowest=max(seconds for _, seconds in checks))


def _open(on: Stage) -> tuple[int, int]:
    on.peer.settle()
    return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="every fault against every provider")
    parser.add_argument("--rounds", type=int, default=3, help="calls for each fault and provider")
    rounds = parser.parse_args(arguments).rounds
    scores: dict[str, list[Score]] = {}
    for provider in PROVIDERS:
        with stage(provider) as on:
            for fault in FAULTS:
                scores.setdefault(fault.name, []).append(faults(on, fault, rounds))
            for behaviour in (behaviours.drip_headers, behaviours.drip_body):
                scores.setdefault(f"{behaviour.__name__}, ten at a time", []).append(drips(on, behaviour))
    table = Table("fault", *PROVIDERS, title=f"deadline {DEADLINE:.0f} s, answers within {GRACE * 1000:.0f} ms of it")
    for name, row in scores.items():
        table.add_row(name, *(str(score) if score.clean else f"[red]{score}" for score in row))
    Console().print(table)
    return 0 if all(score.clean for row in scores.values() for score in row) else 1


if __name__ == "__main__":
    sys.exit(main())
