"""Shows a calibration on the terminal and as an HTML page with its plot, and how well kinds are told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from engine.core.language import phrase, said, tell
from engine.golden.calibrate import Calibration, Change, Point
from engine.golden.kind_accuracy import LEVELS, Measured, share
from engine.golden.report.files import page

_ORIGINS = {"golden": phrase("golden"), "example": phrase("example"), "counterexample": phrase("counterexample")}
WIDTH, HEIGHT, LEFT, BOTTOM = 640, 280, 44, 36


def show(found: Calibration, console: Console) -> None:
    """The table around the current and the recommended threshold, and what would change."""
    console.print(Text(tell("{pipeline}: {count} sentences", pipeline=found.pipeline, count=found.samples), "bold"))
    if found.tuned:
        console.print(
            Text(
                tell(
                    "  {tuned} of them are examples and counterexamples, and goldens count only where they pass: "
                    "all were made to fit {current:g}. Only new sentences tell how it does with other users.",
                    tuned=found.tuned,
                    current=found.current,
                ),
                "yellow",
            )
        )
    heads = [tell("threshold"), tell("false accepts"), tell("false rejects")]
    widths = [max(width, cell_len(head)) for head, width in zip(heads, (9, 13, 13), strict=True)]
    console.print(
        Text(
            "  " + "  ".join(set_cell_size(head, width) for head, width in zip(heads, widths, strict=True)).rstrip(),
            "dim",
        )
    )
    for point in _worth_showing(found):
        mark = " ".join(said(word) for word, value in _marked(found).items() if value == point.threshold)
        numbers = (point.threshold, point.false_accepts, point.false_rejects)
        columns = "  ".join(f"{number:>{width}}" for number, width in zip(numbers, widths, strict=True))
        line = f"  {columns}  {mark}"
        console.print(Text(line.rstrip(), "bold" if mark else ""))
    for change in found.changes:
        console.print(
            Text(f"  {change.sample.span}: `{change.sample.text}`: {said(change.now)} → {said(change.then)}", "yellow")
        )
    if found.recommended == found.current:
        console.print(tell("recommended: keep {current:g}", current=found.current))
    else:
        console.print(
            tell(
                "recommended: {recommended:g}, now {current:g}; --write writes it into the pipeline",
                recommended=found.recommended,
                current=found.current,
            )
        )


def _marked(found: Calibration) -> dict[str, float]:
    return {phrase("current"): round(found.current), phrase("recommended"): round(found.recommended)}


def _worth_showing(found: Calibration) -> list[Point]:
    """Every fifth threshold and the marked ones."""
    return [p for p in found.points if p.threshold % 5 == 0 or p.threshold in _marked(found).values()]


def render(found: Calibration) -> str:
    """The whole HTML page."""
    most = max(1, *(max(point.false_accepts, point.false_rejects) for point in found.points))
    return page(
        "calibration.html.j2",
        {
            "found": found,
            "changes": [_row(change) for change in found.changes],
            "mistakes": [_row(change) for change in found.mistakes],
            "plot": {
                "width": WIDTH,
                "height": HEIGHT,
                "left": LEFT,
                "bottom": BOTTOM,
                "accepts": _line(found.points, lambda point: point.false_accepts, most),
                "rejects": _line(found.points, lambda point: point.false_rejects, most),
                "current": _x(found.current),
                "recommended": _x(found.recommended),
                "ticks": [(_x(threshold), threshold) for threshold in range(50, 101, 10)],
                "levels": [(_y(level, most), level) for level in sorted({0, (most + 1) // 2, most})],
            },
        },
    )


def _row(change: Change) -> dict[str, Any]:
    sample = change.sample
    return {
        "place": str(sample.span),
        "text": sample.text,
        "origin": said(_ORIGINS[sample.origin]),
        "now": said(change.now),
        "then": said(change.then),
    }


def _line(points: Sequence[Point], value: Callable[[Point], int], most: int) -> str:
    return " ".join(f"{_x(point.threshold):.1f},{_y(value(point), most):.1f}" for point in points)


def _x(threshold: float) -> float:
    return LEFT + (threshold - 50) / 50 * (WIDTH - LEFT - 16)


def _y(value: float, most: int) -> float:
    return 16 + (1 - value / most) * (HEIGHT - BOTTOM - 16)


CONFUSIONS = 15
"""Confusions shown."""


def show_kinds(found: Measured, console: Console) -> None:
    """Right answers over all, by language and by kind, what is taken for what, and how far `sure` can be trusted."""
    console.print(
        Text(tell("kinds: {count} sentences, {source}", count=len(found.answers), source=found.source), "bold")
    )
    console.print(tell("  {share:6.1%} right", share=share(found.answers)))
    for language, answers in sorted(found.by("language").items()):
        if language:
            console.print(
                tell(
                    "  {share:6.1%} right of {count} in `{language}`",
                    share=share(answers),
                    count=len(answers),
                    language=language,
                )
            )
    for level in LEVELS:
        certain = [one for one in found.answers if one.sure >= level]
        console.print(
            tell(
                "  {share:6.1%} right where it is {level:.0%} sure, in {part:.0%}",
                share=share(certain),
                level=level,
                part=len(certain) / len(found.answers),
            )
        )
    for kind, answers in sorted(found.by("kind").items(), key=lambda item: share(item[1])):
        console.print(
            Text(
                tell("  {share:6.1%} of {count:>4}  {kind}", share=share(answers), count=len(answers), kind=kind), "dim"
            )
        )
    for (kind, told), times in found.confusions[:CONFUSIONS]:
        console.print(tell("  {times:>4} × {kind} taken for {told}", times=times, kind=kind, told=told))
    if found.seconds is not None and found.size is not None:
        console.print(tell("  {micro:.0f} µs a sentence, {size:,} bytes", micro=found.seconds * 1e6, size=found.size))
