"""Times things side by side: every side once a round, in turns, so that a busy moment hits all of them alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Take = Callable[[], float]
"""Does the work once and gives the seconds that it took."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Seconds, or whatever else was measured, once a round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def p99(self) -> float:
        """The 99th percentile; of fewer than 100 values the largest."""
        return sorted(self.values)[min(len(self.values) - 1, round(0.99 * len(self.values)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`ratio` is peer / ours: how many times as much the peer takes. `unit` is a factor on the values with its name.

    Promised are a ratio of `at_least` and a median of `at_most`, in that unit, or one of them, or nothing.
    """

    id: str
    what: str
    ours: Samples
    peer: str = ""
    theirs: Samples | None = None
    at_least: float | None = None
    at_most: float | None = None
    unit: tuple[float, str] = (1e3, "ms")

    @property
    def ratio(self) -> float | None:
        return None if self.theirs is None else self.theirs.median / self.ours.median

    @property
    def promised(self) -> str:
        ratio = "" if self.at_least is None else f"≥ {self.at_least:g} ×"
        median = "" if self.at_most is None else f"≤ {self.at_most:,g} {self.unit[1]}".rstrip()
        return ", ".join(filter(None, (ratio, median)))

    @property
    def kept(self) -> bool:
        """Whether what is promised holds; nothing promised is nothing broken."""
        ratio = self.at_least is None or (self.ratio is not None and self.ratio >= self.at_least)
        return ratio and (self.at_most is None or self.ours.median * self.unit[0] <= self.at_most)


def alternate(sides: Mapping[str, Take], rounds: int, *, blocks: Mapping[str, int] | None = None) -> dict[str, Samples]:
    """Each side's samples of `rounds` rounds, after one that does not count.

    A side takes as many samples in a row as `blocks` says, and one more that does not count: what is to be measured
    warm must not find the processor's caches full of its neighbour's data.
    """
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, take in sides.items():
            row = (blocks or {}).get(name, 0)
            samples = [take() for _ in range(row + 1)]
            taken[name] += samples[bool(row) :] if number else []
    return {name: Samples(tuple(values)) for name, values in taken.items()}


def timed(work: Callable[[], object]) -> Take:
    """Wall seconds of a call."""

    def take() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return take


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A process that has ended: wall seconds, and the most memory that it held, in megabytes."""

    seconds: float
    megabytes: float


_WATCH = """
import resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
seconds = time.perf_counter() - began
sys.stderr.buffer.write(done.stderr[-2000:])
print(done.returncode, seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def run(
    command: Sequence[str], env: Mapping[str, str], cwd: str | os.PathLike[str], may_end_with: Sequence[int] = (0,)
) -> Finished:
    """Run a process to its end; raises `RuntimeError` with its last words where it fails.

    A small process of its own starts and watches it: to the system, a child has held what its parent holds when it
    is started.
    """
    watch = [sys.executable, "-S", "-c", _WATCH, *command]
    done = subprocess.run(watch, env=env, cwd=cwd, check=True, capture_output=True, text=True, encoding="utf-8")
    code, seconds, kilobytes = done.stdout.split()
    if int(code) not in may_end_with:
        raise RuntimeError(f"{' '.join(command)[:200]} failed:\n{done.stderr}")
    return Finished(seconds=float(seconds), megabytes=int(kilobytes) / 1024)
