"""What the engine promises for the day that something fails, tried out: `python -m tests.chaos [NAME…] [--share S]`.

One table an experiment; ends with 1 when a claim does not hold. `--write` puts the tables into `docs/reliability.md`.
Unlike the tests, experiments look at the clock: run them on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from rich.console import Console
from rich.table import Table

from tests.chaos import deadlines, drips, files, load, outage, pairwise, providers, requests, streams, worker
from tests.chaos.document import Run, write
from tests.chaos.experiment import Check


class Module(Protocol):
    """A module of this package that holds an experiment."""

    TITLE: str

    def run(self, share: float) -> Iterator[Check]:
        """Takes the share of the full size to run, in (0, 1]."""


EXPERIMENTS: Mapping[str, Module] = {
    "providers": providers,
    "drips": drips,
    "streams": streams,
    "outage": outage,
    "pairwise": pairwise,
    "worker": worker,
    "files": files,
    "deadlines": deadlines,
    "load": load,
    "requests": requests,
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="whatever fails: what still holds")
    parser.add_argument("names", nargs="*", type=_name, metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--share", type=_share, default=1.0, help="of the full size, above 0 and up to 1")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/reliability.md")
    options = parser.parse_args(arguments)
    runs = [_run(name, options.share) for name in options.names or EXPERIMENTS]
    if options.write:
        write(runs, tuple(EXPERIMENTS))
    return 0 if all(check.holds for run in runs for check in run.checks) else 1


def _run(name: str, share: float) -> Run:
    began = time.monotonic()
    module = EXPERIMENTS[name]
    checks = tuple(module.run(share))
    run = Run(name=name, title=module.TITLE, share=share, seconds=time.monotonic() - began, checks=checks)
    table = Table("claim", "held", "measured", title=f"{name}: {run.title} ({run.seconds:.0f} s)")
    for check in checks:
        held = f"{check.right:,} of {check.asked:,}"
        table.add_row(check.what, held if check.holds else f"[red]{held}", check.figures)
    Console().print(table)
    return run


def _name(text: str) -> str:
    if text not in EXPERIMENTS:
        raise argparse.ArgumentTypeError(f"there is no `{text}`")
    return text


def _share(text: str) -> float:
    share = float(text)
    if not 0.0 < share <= 1.0:
        raise argparse.ArgumentTypeError("give a number above 0 and up to 1")
    return share


if __name__ == "__main__":
    sys.exit(main())
