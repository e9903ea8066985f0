"""Shows a calibration on the terminal and as an HTML page with its plot, and how well kinds are told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from engine.golden.calibrate import Calibration, Change, Point
from engine.golden.kind_accuracy import LEVELS, Measured, share
from engine.golden.report.files import page

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 280, 44, 36


def show(found: Calibration, console: Console) -> None:
    """The table around the current and the recommended threshold, and what would change."""
    console.print(Text(f"{found.pipeline}: {found.samples} sentences", "bold"))
    if found.tuned:
        console.print(
            Text(
                f"  {found.tuned} of them are examples and counterexamples, and goldens count only where they pass: "
                f"all were made to fit {found.current:g}. Only new sentences tell how it does with other users.",
                "yellow",
            )
        )
    console.print(Text("  threshold  false accepts  false rejects", "dim"))
    for point in _worth_showing(found):
        mark = " ".join(word for word, value in _marked(found).items() if value == point.threshold)
        line = f"  {point.threshold:>9}  {point.false_accepts:>13}  {point.false_rejects:>13}  {mark}"
        console.print(Text(line.rstrip(), "bold" if mark else ""))
    for change in found.changes:
        console.print(Text(f"  {change.sample.span}: `{change.sample.text}`: {change.now} → {change.then}", "yellow"))
    if found.recommended == found.current:
        console.print(f"recommended: keep {found.current:g}")
    else:
        console.print(f"recommended: {found.recommended:g}, now {found.current:g}; --write writes it into the pipeline")


def _marked(found: Calibration) -> dict[str, float]:
    return {"current": round(found.current), "recommended": round(found.recommended)}


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
        "origin": sample.origin,
        "now": change.now,
        "then": change.then,
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
    console.print(Text(f"kinds: {len(found.answers)} sentences, {found.source}", "bold"))
    console.print(f"  {share(found.answers):6.1%} right")
    for language, answers in sorted(found.by("language").items()):
        if language:
            console.print(f"  {share(answers):6.1%} right of {len(answers)} in `{language}`")
    for level in LEVELS:
        spoken = [one for one in found.answers if one.sure >= level]
        console.print(
            f"  {share(spoken):6.1%} right where it is {level:.0%} sure, in {len(spoken) / len(found.answers):.0%}"
        )
    for kind, answers in sorted(found.by("kind").items(), key=lambda item: share(item[1])):
        console.print(Text(f"  {share(answers):6.1%} of {len(answers):>4}  {kind}", "dim"))
    for (kind, told), times in found.confusions[:CONFUSIONS]:
        console.print(f"  {times:>4} × {kind} taken for {told}")
    if found.seconds is not None and found.size is not None:
        console.print(f"  {found.seconds * 1e6:.0f} µs a sentence, {found.size:,} bytes")
