"""Damaged model files: whatever the engine does with one, this process lives and the turn has its answer."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.experiment import Check
from tests.chaos.worker import ENGINES, GRACE, belongings, left_open, patient
from tests.models import CHATML, write_tiny_model

TITLE = "damaged model files"
FILES = 69
DEADLINE = 3.0
_HEAD = 14_000
"""Bytes in which the tiny model keeps its metadata."""


def run(share: float) -> Iterator[Check]:
    before = belongings()
    for backend in ENGINES:
        yield files(backend, max(3, round(FILES * share)))
    yield left_open(before)


def files(backend: str, count: int, grace: float = GRACE) -> Check:
    """Each file is made from its number alone; those that went wrong are named."""
    ends: Counter[str] = Counter()
    wrong: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        whole = write_tiny_model(Path(folder) / "tiny.gguf", chat_template=CHATML).read_bytes()
        for number in range(count):
            path = Path(folder) / f"{number}.gguf"
            path.write_bytes(damaged(whole, number))
            with patient(path, backend, DEADLINE, ready=False, tokens=8) as one:
                answer = one.bot.ask("Hello.")
                problem = str(one.model.status().detail)
            path.unlink()
            death = "died" in problem and answer.end != "local"
            ends["answered" if answer.end == "local" else "the process died" if death else "refused or late"] += 1
            if not one.well(answer, grace):
                wrong.append(number)
    figures = ", ".join(f"{end}: {times}" for end, times in sorted(ends.items()))
    figures += f"; wrong: {wrong}" if wrong else ""
    return Check(what=f"{backend}: {count} files", right=count - len(wrong), asked=count, figures=figures)


def damaged(whole: bytes, number: int) -> bytes:
    """Changed bytes in the metadata, changed bytes anywhere, or an end that is missing."""
    dice = random.Random(number)
    data = bytearray(whole)
    if number % 3 == 2:
        return bytes(data[: dice.randrange(4, len(data))])
    end = _HEAD if number % 3 == 0 else len(data)
    for _ in range(dice.choice((1, 4, 16, 64))):
        data[dice.randrange(4, end)] = dice.randrange(256)
    return bytes(data)
