"""Every benchmark beside its peers: `python -m benchmarks [NAME…] [--rounds N] [--full] [--write]`.

Prints a table for each group. With `--write` the tables and the plot of docs/benchmarks.md are made anew, those of
the named groups only. Ends with 1 when a promise is not kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from rich.console import Console

from benchmarks import cold, crowd, emulator, index, local, peers, rooms, validate, warm
from benchmarks.measure import Row
from benchmarks.report import as_table, conditions, write_group, write_plot

Rows = Callable[[int], Iterable[Row]]

GROUPS: Mapping[str, tuple[str, Rows]] = {
    "cold": ("From nothing to the first canned reply, whole processes", cold.rows),
    "index": ("Finding the trigger", index.rows),
    "warm": ("A warm canned turn, from event to response", warm.rows),
    "rooms": ("What knowing guests costs", rooms.rows),
    "emulator": ("Through AWS's Lambda emulator", emulator.rows),
    "local": ("The local model", local.rows),
    "crowd": ("Several guests of the local model at once", crowd.rows),
    "validate": ("Validation, whole processes", validate.rows),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="every benchmark beside its peers")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"groups to run: {', '.join(GROUPS)} (default: all)")
    parser.add_argument(
        "--rounds", type=int, default=40, help="samples of each side; slow ones take fewer (default: %(default)s)"
    )
    parser.add_argument("--full", action="store_true", help="a million triggers, too")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - GROUPS.keys():
        parser.error(f"there is no benchmark `{min(unknown)}`: expected {', '.join(GROUPS)}")
    names = given.names or list(GROUPS)
    if {"cold", "warm"} & set(names):
        peers.install()
    kept = [_run(name, given.rounds, full=given.full, write=given.write) for name in names]
    return 0 if all(kept) else 1


def _run(name: str, rounds: int, *, full: bool, write: bool) -> bool:
    title, rows = GROUPS[name]
    rows = partial(index.rows, full=full) if name == "index" else rows
    # A pipe has no width of its own, and the tables are wide.
    console = Console(width=None if sys.stdout.isatty() else 180)
    console.print(f"\n[bold]{title}[/bold]  {conditions()}")
    found = list(rows(rounds))
    console.print(as_table(found))
    if write:
        write_group(name, found, " --full" if full and name == "index" else "")
        if name == "index":
            write_plot(found)
    return all(row.kept for row in found)


if __name__ == "__main__":
    sys.exit(main())
