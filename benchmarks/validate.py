"""How long `misaki validate` takes, as a whole process: the shipped pipelines, and 10,000 replies with 20,000 triggers.

    python -m benchmarks.validate

The large pipeline is made up: sentences of a time, a place, a thing and a verb, most of them fuzzy triggers, one in
ten a `contains`, one in a hundred a `regex`, with examples for one reply in ten. Processor time counts all cores.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from engine.reading.compose import compose
from engine.schema.shape import check_shape

ROOT = Path(__file__).parent.parent
REPLIES = 10_000
PER_FILE = 500
KANA = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわ"
TIMES = ("昨日", "今日", "明日", "来週", "先月", "毎朝", "昼休みに", "夜中に", "急に", "もう一度")
PLACES = ("東京", "大阪", "京都", "名古屋", "札幌", "福岡", "神戸", "横浜", "仙台", "広島")
THINGS = (
    "会議",
    "資料",
    "電車",
    "切符",
    "旅行",
    "料理",
    "音楽",
    "映画",
    "財布",
    "自転車",
    "書類",
    "休暇",
    "図書館",
    "洗濯",
    "保険",
)
VERBS = (
    "忘れた",
    "探してる",
    "見つけた",
    "買いたい",
    "売りたい",
    "直して",
    "教えて",
    "手伝って",
    "変えたい",
    "頼みたい",
    "聞きたい",
)
BOMBS = {
    "100,000 brackets": "[" * 100_000,
    "an alias bomb": "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(300)),
    "200,000 items": "replies: [" + "x, " * 200_000 + "]",
}
PIPELINE = """\
version: 1
name: large
locale: ja
persona: {name: 舞}
replies: [replies/*.yml]
steps:
  - {id: canned, kind: replies}
  - {id: sorry, kind: say, reply: r0}
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds on the clock, seconds of processor time, and megabytes at the peak."""

    wall: float
    processor: float
    peak: float


def main() -> int:
    console = Console()
    table = Table("what", "wall s", "processor s", "peak MB", "aim", title="misaki validate")
    _row(table, "the shipped files", measure(["pipelines", "replies", "tests/golden"], ROOT), "1 s")
    with tempfile.TemporaryDirectory() as folder:
        write_large(Path(folder), REPLIES)
        name = f"{REPLIES:,} replies, {2 * REPLIES:,} triggers"
        _row(table, name, measure(["pipeline.yml"], Path(folder)), "10 s")
    with tempfile.TemporaryDirectory() as folder:
        slowest, named = _slowest_document(Path(folder))
        _row(table, f"the slowest hostile document, {named}", slowest, "1 s, 200 MB")
    console.print(table)
    return 0


def measure(paths: Sequence[str], folder: Path) -> Measured:
    """One run of the command in a process of its own."""
    command = [sys.executable, "-m", "engine", "validate", *paths]
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, env={"PYTHONPATH": str(ROOT)})
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def write_large(folder: Path, replies: int) -> None:
    """The made-up pipeline, the same at every run."""
    chance = random.Random(7)
    (folder / "pipeline.yml").write_text(PIPELINE, "utf-8")
    (folder / "replies").mkdir()
    for first in range(0, replies, PER_FILE):
        lines = ["replies:"]
        for number in range(first, min(first + PER_FILE, replies)):
            lines += _reply(number, chance)
        (folder / "replies" / f"part{first // PER_FILE:03}.yml").write_text("\n".join(lines) + "\n", "utf-8")


def _reply(number: int, chance: random.Random) -> list[str]:
    first, second = _sentence(chance), _sentence(chance)
    other = f"{{contains: {second}}}" if number % 5 == 0 else second
    other = f"{{regex: '{second[:4]}(は|を){second[5:]}'}}" if number % 50 == 1 else other
    lines = [f"  - id: r{number}", f"    match: [{first}, {other}]", f"    say: [{first}のですね。, はい。]"]
    if number % 20 == 0:
        lines.append("    when: now.hour >= 9 and now.hour < 18")
    if number % 10 == 0:
        lines.append(f"    examples: [{first}よ]")
    return lines


def _sentence(chance: random.Random) -> str:
    word = "".join(chance.choices(KANA, k=4))
    return f"{chance.choice(TIMES)}{chance.choice(PLACES)}の{chance.choice(THINGS)}を{word}{chance.choice(VERBS)}"


def _slowest_document(folder: Path) -> tuple[Measured, str]:
    """Every document of the hostile suites is read in this process; the slowest and the bombs in one of their own."""
    lines = (ROOT / "tests" / "data" / "hostile_documents.jsonl").read_text("utf-8").splitlines()
    documents = {found["id"]: found["text"] for found in map(json.loads, lines)}
    times = {name: _seconds_to_read(text) for name, text in documents.items()}
    slowest = max(times, key=lambda name: times[name])
    tried = BOMBS | {slowest: documents[slowest]}
    measured = []
    for name, text in tried.items():
        (folder / "replies.yml").write_text(text, "utf-8")
        measured.append((measure(["replies.yml"], folder), name))
    return max(measured, key=lambda one: one[0].processor)


def _seconds_to_read(text: str) -> float:
    began = time.perf_counter()
    root, _ = compose(text, "replies.yml")
    if root is not None:
        check_shape(root, "replies")
    return time.perf_counter() - began


def _row(table: Table, what: str, measured: Measured, aim: str) -> None:
    table.add_row(what, f"{measured.wall:.2f}", f"{measured.processor:.2f}", f"{measured.peak:.0f}", aim)


if __name__ == "__main__":
    sys.exit(main())
