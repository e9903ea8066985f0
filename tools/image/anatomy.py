"""Where the time of a cold start goes, one process after another, each with a little more in it than the one before.

    python3.11 anatomy.py      # inside the image; trial.py sends it there

Prints a line for each part, in milliseconds: the median of what it adds, and then of what a start without one of the
image's preparations takes more. The function is imported as Lambda does it, without a model, with the plan that stands
beside the pipeline.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

RUNS = 9
CLIENT = "import awslambdaric.bootstrap"
MODULES = f"{CLIENT}; import engine.app, engine.aws.handler"
FUNCTION = f"{MODULES}; import lambda_function"
ASKED = f"{FUNCTION}; lambda_function.lambda_handler({{'input': 'こんばんは'}}, None)"
UNMETERED = {"METRICS": "false", "USE_LOCAL_LLM": "false", "LOCAL_LLM_MODEL": ""}
METERED = {**UNMETERED, "METRICS": "true"}
Start = tuple[str, str, Mapping[str, str]]
"""A name, what runs, and the environment it runs in."""

PARTS: tuple[Start, ...] = (
    ("Python itself", "pass", UNMETERED),
    ("AWS's runtime client", CLIENT, UNMETERED),
    ("the engine's modules", MODULES, UNMETERED),
    ("the pipeline, from its plan", FUNCTION, UNMETERED),
    ("the metrics' library", FUNCTION, METERED),
    ("the first canned reply", ASKED, METERED),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        others = _others(Path(folder))
        medians = _medians((*PARTS, *others))
    before = 0.0
    for (part, _, _), median in zip(PARTS, medians, strict=False):
        _say(part, median - before)
        before = median
    _say("all of it", before)
    for (other, _, _), median in zip(others, medians[len(PARTS) :], strict=True):
        _say(f"more {other}", median - before)


def _others(folder: Path) -> tuple[Start, ...]:
    """Starts like the whole one that lack something or do more; a copy of the YAML in `folder` has no plan."""
    for name in ("pipelines", "replies", "kinds"):
        shutil.copytree(name, folder / name, ignore=shutil.ignore_patterns(".cache"))
    pipeline = os.environ.get("MISAKI_PIPELINE") or "pipelines/snack_misaki.yml"
    return (
        ("without any bytecode", ASKED, {**METERED, "PYTHONPYCACHEPREFIX": str(folder / "none")}),
        ("without a plan", ASKED, {**METERED, "MISAKI_PIPELINE": str(folder / pipeline)}),
        ("with OpenAI's SDK", f"{ASKED}; import openai", METERED),
        ("with Amazon's SDK", f"{ASKED}; import boto3; boto3.client('ssm', region_name='us-east-1')", METERED),
    )


def _medians(starts: tuple[Start, ...]) -> list[float]:
    times: list[list[float]] = [[] for _ in starts]
    # In turn, so that a busy moment of the machine strikes all of them.
    for _ in range(RUNS):
        for taken, (_, code, env) in zip(times, starts, strict=True):
            taken.append(_milliseconds(code, env))
    return [statistics.median(taken) for taken in times]


def _milliseconds(code: str, env: Mapping[str, str]) -> float:
    command = [sys.executable, "-c", code]
    began = time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, **env}, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def _say(what: str, milliseconds: float) -> None:
    print(f"{what}\t{max(0.0, milliseconds):.0f}")


if __name__ == "__main__":
    main()
