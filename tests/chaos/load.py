"""`misaki serve` under load, beside the same server with a handler that does nothing, each in its own process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import IO

from tests.acceptance.processes import ROOT, compiled, environment
from tests.chaos.client import Tally
from tests.chaos.experiment import Check
from tests.children import child

TITLE = "`misaki serve` under load"
SECONDS = 60.0
SLICES = 4
CLIENTS = (8, 32)
CROWD = 128
OVERLOAD = 4.0
UNLOADED = 0.5
SERVERS = {
    "misaki serve": ("-m", "engine", "serve", "--port", "0"),
    "the same server, constant answer": ("-m", "tests.chaos.constant"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Milliseconds of those answered and those turned away, sorted; `seconds` of load."""

    answered: Sequence[float]
    turned_away: Sequence[float]
    errors: int
    seconds: float

    @property
    def rate(self) -> float:
        return len(self.answered) / self.seconds

    def percentile(self, share: float) -> float:
        return percentile(self.answered, share)


def percentile(sorted_values: Sequence[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))] if sorted_values else 0.0


def run(share: float) -> Iterator[Check]:
    with ExitStack() as stack:
        addresses = {name: stack.enter_context(server(*command)) for name, command in SERVERS.items()}
        rates = []
        for clients in CLIENTS:
            seen = alternately(addresses, clients, SECONDS * share)
            yield from beside(seen, clients)
            rates.append(next(iter(seen.values())).rate)
        yield from overload(next(iter(addresses.values())), max(rates), SECONDS * share)


def alternately(addresses: dict[str, tuple[str, int]], clients: int, seconds: float) -> dict[str, Seen]:
    """The same load on each server, in slices that take turns."""
    parts: dict[str, list[Seen]] = {name: [] for name in addresses}
    for _ in range(SLICES):
        for name, address in addresses.items():
            parts[name].append(loaded(address, clients, seconds / SLICES))
    return {name: _joined(seen) for name, seen in parts.items()}


def beside(seen: dict[str, Seen], clients: int) -> Iterator[Check]:
    rates = [one.rate for one in seen.values()]
    for name, one in seen.items():
        asked = len(one.answered) + len(one.turned_away) + one.errors
        figures = f"{one.rate:,.0f} a second, p50 {one.percentile(0.5):.2f} ms, p99 {one.percentile(0.99):.2f} ms"
        if one.rate != rates[-1]:
            figures += f", {one.rate / rates[-1]:.2f} of the rate below"
        yield Check(what=f"{name}: {clients} clients", right=len(one.answered), asked=asked, figures=figures)


def overload(address: tuple[str, int], rate: float, seconds: float) -> Iterator[Check]:
    """Requests at random moments: half as many as the server can bear, then four times as many."""
    calm = loaded(address, CROWD, seconds / 3, rate * UNLOADED)
    flooded = loaded(address, CROWD, seconds, rate * OVERLOAD)
    away = flooded.turned_away
    offered = (len(flooded.answered) + len(away)) / flooded.seconds
    what = f"{UNLOADED:g} times what it bears at most: all are answered"
    figures = f"{calm.rate:,.0f} a second, p50 {calm.percentile(0.5):.2f} ms, p99 {calm.percentile(0.99):.2f} ms"
    yield Check(what=what, right=len(calm.answered), asked=len(calm.answered) + len(calm.turned_away), figures=figures)
    what = f"{OVERLOAD:g} times: all are answered or turned away, and no connection fails"
    figures = f"{offered:,.0f} a second came, {flooded.rate:,.0f} answered, p50 {flooded.percentile(0.5):.2f} ms"
    figures += (
        f", p99 {flooded.percentile(0.99):.2f} ms; {len(away):,} turned away, p99 {percentile(away, 0.99):.2f} ms"
    )
    told = len(flooded.answered) + len(away)
    yield Check(what=what, right=told, asked=told + flooded.errors, figures=figures)


def loaded(address: tuple[str, int], clients: int, seconds: float, rate: float = 0.0) -> Seen:
    words = [*map(str, address), str(clients), str(seconds), str(rate)]
    command = [sys.executable, "-m", "tests.chaos.client", *words]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=True)
    tally = Tally(**json.loads(done.stdout))
    return _seen(tally, seconds)


@contextmanager
def server(*command: str) -> Iterator[tuple[str, int]]:
    """Where it listens. It writes to a file, because a pipe that nobody reads would stop it."""
    with (
        tempfile.TemporaryFile("w+") as said,
        child([sys.executable, *command], stdout=said, stderr=said, cwd=ROOT, env=environment(compiled())) as process,
    ):
        yield _address(process, said)


def _address(process: subprocess.Popen[bytes], said: IO[str]) -> tuple[str, int]:
    while process.poll() is None:
        said.seek(0)
        found = re.search(r"listening on http://([0-9.]+):(\d+)\s", said.read())
        said.seek(0, os.SEEK_END)
        if found is not None:
            return found[1], int(found[2])
        time.sleep(0.05)
    raise RuntimeError("the server does not start")


def _seen(tally: Tally, seconds: float) -> Seen:
    answered, away = sorted(tally.answered), sorted(tally.turned_away)
    return Seen(answered=answered, turned_away=away, errors=tally.errors, seconds=seconds)


def _joined(parts: Sequence[Seen]) -> Seen:
    return Seen(
        answered=sorted(chain.from_iterable(part.answered for part in parts)),
        turned_away=sorted(chain.from_iterable(part.turned_away for part in parts)),
        errors=sum(part.errors for part in parts),
        seconds=sum(part.seconds for part in parts),
    )
