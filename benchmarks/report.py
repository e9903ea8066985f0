"""Rows as a table on the terminal, and as the tables and the plot of docs/benchmarks.md."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from rich.table import Column, Table

from benchmarks.machine import ROOT, describe, load
from benchmarks.measure import Row, Samples

PAGE = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "images" / "matching.svg"
HEADINGS = ("what", "ours", "p99", "peer", "takes", "p99", "ratio", "promised")


def conditions() -> str:
    return f"{time.strftime('%Y-%m-%d')}, {describe()}, load {load():.1f}"


def as_table(rows: Iterable[Row]) -> Table:
    numbers = {"ours", "p99", "takes", "ratio", "promised"}
    columns = (Column(name, justify="right" if name in numbers else "left") for name in HEADINGS)
    table = Table(*columns)
    for row in rows:
        table.add_row(*_cells(row), style="" if row.kept else "red")
    return table


def write_group(name: str, rows: Sequence[Row], options: str = "") -> None:
    """Replace what stands between the markers of this group; raises `ValueError` where the page has none."""
    alignment = "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |"
    command = f".venv/bin/python -m benchmarks {name}{options}"
    lines = [f"{conditions()}; `{command}`:", "", f"| {' | '.join(HEADINGS)} |", alignment]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, found, rest = PAGE.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"docs/benchmarks.md has no markers for `{name}`")
    PAGE.write_text(f"{before}{begin}\n{chr(10).join(lines)}\n\n{end}{after}", "utf-8")


def _cells(row: Row) -> tuple[str, ...]:
    factor, unit = row.unit
    ratio = "" if row.ratio is None else f"{row.ratio:.3g} ×"
    kept = f"{row.promised}{'' if row.kept else ' — not kept'}"
    return (row.what, *_pair(row.ours, factor, unit), row.peer, *_pair(row.theirs, factor, unit), ratio, kept)


def _pair(samples: Samples | None, factor: float, unit: str) -> tuple[str, str]:
    """Median and 99th percentile; the latter only where there is more than one sample."""
    if samples is None:
        return "", ""
    shown = tuple(f"{_rounded(value * factor)} {unit}".rstrip() for value in (samples.median, samples.p99))
    return shown if len(samples.values) > 1 else (shown[0], "")  # type: ignore[return-value]


def _rounded(value: float) -> str:
    """Three significant figures."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`points` in pixels; the name stands at the last of them."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A logarithmic axis from 10^`low` to 10^`high`, drawn from pixel `start` to pixel `end`."""

    low: int
    high: int
    start: float
    end: float

    def at(self, value: float) -> float:
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> Iterator[tuple[float, int]]:
        for power in range(self.low, self.high + 1):
            yield self.at(10.0**power), power


def write_plot(rows: Sequence[Row]) -> None:
    """Microseconds a query against the number of triggers, ours and its two peers."""
    ours = {_size(row): row for row in rows if row.id.removeprefix("index.").isdigit()}
    plain = {_size(row): row for row in rows if row.id.startswith("index.plain-")}
    series = {
        "this engine": [(size, row.ours.median) for size, row in ours.items()],
        "comparing all forms": [(size, row.theirs.median) for size, row in ours.items() if row.theirs],
        "extractOne, one form": [(size, row.theirs.median) for size, row in plain.items() if row.theirs],
    }
    across = Axis(low=2, high=6, start=95, end=545)
    up = Axis(
        low=0, high=math.ceil(math.log10(max(y for line in series.values() for _, y in line) * 1e6)), start=330, end=20
    )
    lines = [_line(name, [(across.at(x), up.at(y * 1e6)) for x, y in points]) for name, points in series.items()]
    template = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(default=True)
    ).get_template("plot.svg.j2")
    PLOT.parent.mkdir(exist_ok=True)
    PLOT.write_text(template.render(lines=lines, across=across, up=up), "utf-8")


def _size(row: Row) -> int:
    return int(row.id.rpartition("-")[2].removeprefix("index."))


def _line(name: str, points: Sequence[tuple[float, float]]) -> Line:
    return Line(name=name, points=tuple(points))
