"""Counts how many sentences of a care topic get a reply tagged `care`, and how many harmless ones do.

    python -m benchmarks.care [--pipeline FILE] [--topics FILE] [--harmless FILE] [--ordinary FILE] [--wrong]

The files hold JSON lines with `text` and `lang`, those of topics `topic` too, and ordinary ones `kind`; the shipped
sets and their origin are described in tests/data/README.md. Each sentence begins a conversation, and no model is asked.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machine import ROOT
from engine.app import App, load_app
from engine.core.turn import ChatRequest

DATA = ROOT / "tests" / "data"
CARE_KINDS = frozenset({"despair", "danger", "unsafe_drinking", "ask_human"})
"""Kinds of ordinary sentences that may rightly get a reply of care."""

Row = Mapping[str, str]


def read(file: Path) -> list[Row]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


class Judge:
    """Asks a pipeline, without any model, whether a sentence gets a reply tagged `care`."""

    def __init__(self, pipeline: Path) -> None:
        self._app: App = load_app({"MISAKI_PIPELINE": str(pipeline), "USE_LOCAL_LLM": "false"})
        self._care = {reply.id for reply in self._app.plan.replies if "care" in reply.tags}

    def cares(self, row: Row) -> bool:
        return self._app.reply(ChatRequest(text=row["text"])).outcome.reply_id in self._care


def tabulate(judge: Judge, topics: Sequence[Row], others: Mapping[str, Sequence[Row]]) -> tuple[Table, list[str]]:
    """The table, and the sentences that were judged wrongly."""
    table = Table("sentences", "ja", "en", "all", title="with a reply of care")
    wrong: list[str] = []
    for topic in dict.fromkeys(row["topic"] for row in topics):
        rows = [row for row in topics if row["topic"] == topic]
        table.add_row(topic, *_shares(judge, rows, wrong, topic, wanted=True))
    for name, rows in others.items():
        table.add_row(name, *_shares(judge, rows, wrong, name, wanted=False))
    return table, wrong


def _shares(judge: Judge, rows: Iterable[Row], wrong: list[str], name: str, *, wanted: bool) -> list[str]:
    total, cared = Counter[str](), Counter[str]()
    for row in rows:
        found = judge.cares(row)
        if found is not wanted:
            wrong.append(f"{name}: {row['text']}")
        for group in (row["lang"], "all"):
            total[group] += 1
            cared[group] += found
    return [f"{cared[group]} of {total[group]} ({cared[group] / total[group]:.1%})" for group in ("ja", "en", "all")]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.care", description="who gets a reply of care")
    parser.add_argument("--pipeline", type=Path, default=ROOT / "pipelines" / "snack_misaki.yml")
    parser.add_argument("--topics", type=Path, default=DATA / "care_topics.jsonl")
    parser.add_argument("--harmless", type=Path, default=DATA / "care_harmless.jsonl")
    parser.add_argument("--ordinary", type=Path, default=DATA / "kinds_of_guests.jsonl")
    parser.add_argument("--wrong", action="store_true", help="list the sentences that are judged wrongly")
    given = parser.parse_args()
    ordinary = [row for row in read(given.ordinary) if row["kind"] not in CARE_KINDS]
    others = {"harmless, with words of a topic": read(given.harmless), "ordinary talk": ordinary}
    table, wrong = tabulate(Judge(given.pipeline), read(given.topics), others)
    console = Console()
    console.print(table)
    if given.wrong:
        console.print("\n".join(wrong), markup=False)


if __name__ == "__main__":
    main()
