"""How long `misaki validate` takes, as a whole process: the shipped pipelines, and 10,000 replies with 20,000 triggers.

The large pipeline is made up: sentences of a time, a place, a thing and a verb, most of them fuzzy triggers, one in
ten a `contains`, one in a hundred a `regex`, with examples for one reply in ten.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.machine import ROOT, environment
from benchmarks.measure import Finished, Row, Samples, run
from engine.core.node import MAX_NODES
from engine.pipeline.reading.compose import compose
from engine.pipeline.schema.shape import check_shape

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
    "a list of as many items as may be": "replies: [" + "x, " * (MAX_NODES - 10) + "]",
    "90,000 replies": "replies:\n" + "  - {id: a}\n" * 90_000,
    "texts of two lines": "replies:\n" + "  - a\n    b - c\n" * 50_000,
    "comments glued to texts": "replies:\n" + "  - a #b\n" * 90_000,
    "lists in lists": "replies: [" + ",".join("[" * 30 + "x" + "]" * 30 for _ in range(MAX_NODES // 32)) + "]",
}
"""The most values that are read at all, with mistakes in all of them, and more than are read."""

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


def rows(rounds: int) -> Iterator[Row]:
    """Wall seconds of processes; a tenth as many of the slow ones, and the most memory that one of them held."""
    fresh = [_shipped(fresh=True) for _ in range(max(3, rounds // 10))]
    yield _row("shipped", "the shipped pipelines, replies and goldens, for the first time", fresh, 3)
    yield _row("again", "the same once more", [_shipped(fresh=False) for _ in range(rounds)], 2)
    slow = max(3, rounds // 10)
    with tempfile.TemporaryDirectory() as folder:
        write_large(Path(folder), REPLIES)
        large = [measure(["pipeline.yml"], Path(folder)) for _ in range(slow)]
    yield _row("large", f"{REPLIES:,} replies with {2 * REPLIES:,} triggers", large, 10)
    with tempfile.TemporaryDirectory() as folder:
        name, hostile = _slowest_document(Path(folder), slow)
    yield _row("hostile", f"the slowest hostile document, {name}", hostile, 1)
    megabytes = Samples(tuple(one.megabytes for one in hostile))
    yield Row(id="validate.memory", what="the same, most memory held", ours=megabytes, at_most=200, unit=(1, "MB"))


def _shipped(*, fresh: bool) -> Finished:
    if fresh:
        (ROOT / "pipelines" / ".cache" / "checked").unlink(missing_ok=True)
    return measure(["pipelines", "replies", "kinds", "tests/golden"], ROOT)


def _row(name: str, what: str, runs: Sequence[Finished], at_most: float) -> Row:
    wall = Samples(tuple(one.seconds for one in runs))
    return Row(id=f"validate.{name}", what=what, ours=wall, at_most=at_most, unit=(1, "s"))


def measure(paths: Sequence[str], folder: Path) -> Finished:
    """One run of the command, whatever it finds, in a process of its own with everything that a shell would start."""
    command = [sys.executable, "-m", "engine", "validate", *paths]
    return run(command, environment(str(ROOT)), folder, may_end_with=(0, 1))


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


def _slowest_document(folder: Path, rounds: int) -> tuple[str, list[Finished]]:
    """Every document of the hostile suites is read in this process; the slowest and the bombs in ones of their own."""
    lines = (ROOT / "tests" / "data" / "hostile_documents.jsonl").read_text("utf-8").splitlines()
    documents = {found["id"]: found["text"] for found in map(json.loads, lines)}
    times = {name: _seconds_to_read(text) for name, text in documents.items()}
    slowest = max(times, key=lambda name: times[name])
    measured = {}
    for name, text in (BOMBS | {slowest: documents[slowest]}).items():
        (folder / "replies.yml").write_text(text, "utf-8")
        measured[name] = [measure(["replies.yml"], folder) for _ in range(rounds)]
    return max(measured.items(), key=lambda item: median(one.seconds for one in item[1]))


def _seconds_to_read(text: str) -> float:
    began = time.perf_counter()
    root, _ = compose(text, "replies.yml")
    if root is not None:
        check_shape(root, "replies")
    return time.perf_counter() - began
