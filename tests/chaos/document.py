"""Puts the tables of experiments into `docs/reliability.md`, between two comments; a section for each experiment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import describe
from tests.chaos.experiment import Check

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN = "<!-- Written by `make chaos`; edits are lost. -->"
END = "<!-- As far as `make chaos` writes. -->"
_SECTION = re.compile(r"^<!-- experiment (\S+) -->\n(.*?)(?=^<!-- experiment |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One experiment as it went; `share` of its full size, in `seconds`."""

    name: str
    title: str
    share: float
    seconds: float
    checks: tuple[Check, ...]


def write(runs: Iterable[Run], order: Sequence[str], document: Path = DOCUMENT) -> None:
    """Replace the sections of `runs`; those of other experiments stay, in `order`."""
    text = document.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    between, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"`{document.name}` lacks the comments that say where the tables go")
    sections = dict(_SECTION.findall(between)) | {run.name: section(run) for run in runs}
    body = "".join(f"<!-- experiment {name} -->\n{sections[name]}" for name in order if name in sections)
    document.write_text(f"{before}{begin}\n\n{body}{end}{after}", "utf-8")


def section(run: Run) -> str:
    rows = "".join(f"| {check.what} | {_held(check)} | {check.figures} |\n" for check in run.checks)
    size = "" if run.share == 1.0 else f" --share {run.share:g}"
    today = datetime.now(UTC).date()
    return (
        f"### {run.title[0].upper()}{run.title[1:]}\n\n| claim | held | measured |\n|---|---|---|\n{rows}\n"
        f"`.venv/bin/python -m tests.chaos {run.name}{size}`, {today}, {run.seconds:.0f} s on {describe()}, "
        f"load {os.getloadavg()[0]:.1f}\n\n"
    )


def _held(check: Check) -> str:
    held = f"{check.right:,} of {check.asked:,}"
    return held if check.holds else f"**{held}**"
