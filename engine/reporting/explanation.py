"""An explanation as tables for a person, or as JSON for a program. Knows nothing of how it came about."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.model.explanation import Considered, Decision, Explanation

_COLOURS = {"chosen": "bold green", "refused": "red", "condition": "yellow", "too low": "dim", "passed over": "dim"}
SHOWN = 12
"""Triggers in the table; the rest are counted."""


def print_explanation(explanation: Explanation, console: Console) -> None:
    console.print(Group(*_parts(explanation)))


def explanation_to_json(explanation: Explanation) -> dict[str, Any]:
    """`explanation` as JSON values; places are `file:line:column`."""
    plain = asdict(explanation)
    plain["stages"] = [{"stage": name, "text": text} for name, text in explanation.stages]
    for key, items in (("considered", explanation.considered), ("decisions", explanation.decisions)):
        plain[key] = [{**asdict(item), "span": str(item.span)} for item in items]
    return plain


def _parts(explanation: Explanation) -> list[RenderableType]:
    parts: list[RenderableType] = [_stages(explanation)]
    if explanation.considered:
        parts += ["", _considered(explanation.considered[:SHOWN])]
        if len(explanation.considered) > SHOWN:
            parts.append(Text(f"and {len(explanation.considered) - SHOWN} more triggers that score less", style="dim"))
    else:
        parts += ["", Text("no trigger comes near", style="dim")]
    return [*parts, "", _decisions(explanation.decisions)]


def _stages(explanation: Explanation) -> Table:
    table = Table(title="how the text is compared", title_justify="left", box=None, show_header=False, padding=(0, 2))
    table.add_row(Text("as written", style="dim"), Text(explanation.text))
    before = explanation.text
    for name, text in explanation.stages:
        if text != before:
            table.add_row(Text(name, style="dim"), Text(text))
        before = text
    return table


def _considered(items: tuple[Considered, ...]) -> Table:
    table = Table(title="replies that come near", title_justify="left", box=None, padding=(0, 2))
    for heading in ("reply", "trigger", "score", "verdict", "where"):
        right = heading == "score"
        table.add_column(heading, justify="right" if right else "left", header_style="dim", overflow="fold")
    for one in items:
        trigger = one.trigger if one.kind == "fuzzy" else f"{one.kind}: {one.trigger}"
        verdict = one.verdict + (f": {one.why}" if one.why else "")
        style = _COLOURS[one.verdict]
        table.add_row(
            Text(one.reply_id, style=style),
            Text(trigger),
            f"{one.score:.1f}",
            Text(verdict, style=style),
            Text(f"{one.span.file}:{one.span.line}", style="dim"),
        )
    return table


def _decisions(items: tuple[Decision, ...]) -> Table:
    table = Table(title="what the pipeline does", title_justify="left", box=None, padding=(0, 2))
    for heading in ("step", "decision", "why"):
        table.add_column(heading, header_style="dim")
    for one in items:
        table.add_row(Text(one.step), Text(one.action, style="bold"), Text(one.why))
    return table
