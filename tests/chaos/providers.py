"""Every fault of a provider, against every provider, several times each."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator

from engine.model.errors import BackendError
from engine.model.turn import Completion
from tests.chaos.experiment import Check
from tests.faults import wires
from tests.faults.catalogue import FAULTS, Fault
from tests.faults.stage import Stage, stage
from tests.faults.wires import PROVIDERS

TITLE = "every fault of a provider, against every provider"
DEADLINE = 1.0
GRACE = 0.05
ROUNDS = 20


def run(share: float) -> Iterator[Check]:
    for provider in PROVIDERS:
        with stage(provider) as on:
            for fault in FAULTS:
                yield _check(on, fault, max(1, round(ROUNDS * share)))


def _check(on: Stage, fault: Fault, rounds: int) -> Check:
    results = [_timed(on, fault) for _ in range(rounds)]
    right = sum(_as_expected(result, fault) and seconds <= DEADLINE + GRACE for result, seconds in results)
    slowest = max(seconds for _, seconds in results)
    return Check(what=f"{on.provider}: {fault.name}", right=right, asked=rounds, figures=f"{slowest * 1000:.0f} ms")


def _timed(on: Stage, fault: Fault) -> tuple[Completion | BackendError, float]:
    began = time.monotonic()
    result = on.ask(fault.behave(on.provider), DEADLINE)
    return result, time.monotonic() - began


def _as_expected(result: Completion | BackendError, fault: Fault) -> bool:
    if isinstance(result, Completion):
        return False
    told = "".join(traceback.format_exception(result)) + repr(vars(result))
    return type(result) is fault.raises and result.retryable == fault.retryable and wires.SECRET not in told
