"""From nothing to the first canned reply: whole processes, beside what peers take to be imported."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from benchmarks.corpus import misheard, pipeline
from benchmarks.machine import CACHE, ROOT, environment, python
from benchmarks.measure import Row, Samples, alternate, run
from benchmarks.peers import PEERS, installed, packages
from engine.validation.load import write_artefact

SIZES = (100, 1_000, 10_000)
PROMISED = {10_000: 0.67}

ANSWER = """
import sys
import lambda_function
response = lambda_function.lambda_handler({"input": sys.argv[1]}, None)
assert '"engine": "canned"' in response["body"], response
"""
IMPORTING = """
import threading
threading.Thread(target=__import__, args=("openai",), daemon=True).start()
"""
"""A thread that gets the SDK ready meanwhile; the process does not wait for it."""
LEAVE = """
import os
os._exit(0)
"""
ANSWER_MANY = """
import sys
import lambda_function
for text in sys.argv[1:]:
    response = lambda_function.lambda_handler({"input": text}, None)
    assert '"engine": "canned"' in response["body"], response
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
RAPIDFUZZ = "import rapidfuzz, json"
YAML_AND_SCHEMA = """
import json, sys, yaml, jsonschema
from pathlib import Path
schema = json.loads(Path("engine/pipeline/schema/replies.schema.json").read_text())
check = jsonschema.Draft202012Validator(schema)
for path in sorted(Path(sys.argv[1]).glob("replies_*.yml")):
    check.validate(yaml.load(path.read_text(), Loader=yaml.CSafeLoader))
"""

Side = tuple[list[str], Mapping[str, str]]
"""A command and its environment."""


def rows(rounds: int) -> Iterator[Row]:
    """Wall seconds of processes, quick ones more often than slow ones, and the memory that ours hold."""
    quick = _take(_quick(), rounds)
    exact, floor = quick["ours 100"], quick["rapidfuzz"]
    yield _row("exact-100", "first reply, word for word, 100 replies", (exact, floor), RAPIDFUZZ, 0.5)
    yield _row(
        "close-100", "first reply, to words with a slip, 100 replies", (quick["close 100"], floor), RAPIDFUZZ, 1 / 6
    )
    for size in SIZES[1:]:
        sides = (quick[f"ours {size}"], exact)
        yield _row(f"exact-{size}", f"first reply, {size:,} replies", sides, "100 replies", PROMISED.get(size))
    if "metrics" in quick:
        yield _row("metrics-100", "first reply with metrics, 100 replies", (quick["metrics"], exact), "without")
    if "importing" in quick:
        beside = (quick["key"], quick["importing"])
        yield _row("sdk-100", "first reply with OpenAI's key, 100 replies", beside, "with its SDK imported in a thread")
    slow = _take(_slow(), max(3, rounds // 10))
    small, large = slow[f"ours {SIZES[0]}"], slow[f"ours {SIZES[-1]}"]
    what = f"first reply, {SIZES[-1]:,} replies"
    yield _row("yaml", what, (large, slow["yaml"]), "YAML (C loader) and jsonschema, read only", 30)
    yield _row("sources", what, (large, slow["sources"]), "our sources, checked and compiled")
    for name in installed():
        sides = (small, slow[name])
        yield _row(name, "first reply, 100 replies", sides, f"import {name}", 15 if name == "litellm" else None)
    yield _memory()


def _row(name: str, what: str, sides: tuple[Samples, Samples], peer: str, at_least: float | None = None) -> Row:
    ours, theirs = sides
    return Row(id=f"cold.{name}", what=what, ours=ours, peer=peer, theirs=theirs, at_least=at_least)


def _take(sides: Mapping[str, Side], rounds: int) -> dict[str, Samples]:
    return alternate({name: (lambda side=side: run(*side, ROOT).seconds) for name, side in sides.items()}, rounds)


def _memory() -> Row:
    command, env = _answering(SIZES[-1])
    read = subprocess.run(command, env=env, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    megabytes = Samples((int(read.split()[-1]) / 1024,))
    what = f"most memory held, {SIZES[-1]:,} replies and 500 turns, no model"
    return Row(id="cold.memory", what=what, ours=megabytes, at_most=170, unit=(1, "MB"))


def _quick() -> dict[str, Side]:
    sides = {f"ours {size}": _first(size) for size in SIZES}
    sides["close 100"] = _first(SIZES[0], slip=True)
    sides["rapidfuzz"] = (python(RAPIDFUZZ), environment())
    if importlib.util.find_spec("aws_lambda_powertools"):
        sides["metrics"] = _first(SIZES[0], METRICS="true")
    if importlib.util.find_spec("openai"):
        sides["key"] = _first(SIZES[0], OPENAI_API_KEY="none")
        sides["importing"] = _first(SIZES[0], code=IMPORTING + ANSWER + LEAVE, OPENAI_API_KEY="none")
    return sides


def _slow() -> dict[str, Side]:
    folder = str(CACHE / f"pipeline-{SIZES[-1]}")
    sides = {f"ours {size}": _first(size) for size in (SIZES[0], SIZES[-1])}
    sides["yaml"] = (python(YAML_AND_SCHEMA, folder), environment())
    sides["sources"] = _first(SIZES[-1], MISAKI_PLAN="off")
    for name in installed():
        sides[name] = (python(f"import {PEERS[name]}"), environment(str(packages())))
    return sides


def _first(size: int, *, slip: bool = False, code: str = ANSWER, **env: str) -> Side:
    """A process that gives one reply."""
    file, texts = built(size)
    said = texts[len(texts) // 2]
    return python(code, misheard(said) if slip else said), environment(MISAKI_PIPELINE=str(file), **env)


def _answering(size: int) -> Side:
    """A process that gives many canned replies, half of them to other words, and prints the most memory it held."""
    file, texts = built(size)
    said = [f"{text}ね" if place % 2 else text for place, text in enumerate(texts[:500])]
    return python(ANSWER_MANY, *said), environment(MISAKI_PIPELINE=str(file))


@cache
def built(size: int) -> tuple[Path, list[str]]:
    """A pipeline of this size with its artefact, and its triggers."""
    file, texts = pipeline(size)
    write_artefact(file, str(file.parent / ".cache" / "pipeline.plan"))
    return file, texts
