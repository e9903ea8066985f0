"""Where the time of a cold start goes, one process after another, each with a little more in it than the one before.

    python3.11 anatomy.py      # inside the image; trial.py sends it there

Prints a line for each part, in milliseconds: the median of what it adds. The function is imported as Lambda does it,
without a model, with the plan that stands beside the pipeline.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

RUNS = 9
CLIENT = "import awslambdaric.bootstrap"
MODULES = f"{CLIENT}; import engine.app, engine.aws.start"
FUNCTION = f"{MODULES}; import lambda_function"
ASKED = f"{FUNCTION}; lambda_function.lambda_handler({{'input': 'こんばんは'}}, None)"
PARTS = (
    ("Python itself", "pass", "false"),
    ("AWS's runtime client", CLIENT, "false"),
    ("the engine's modules", MODULES, "false"),
    ("the pipeline", FUNCTION, "false"),
    ("the metrics' library", FUNCTION, "true"),
    ("the first canned reply", ASKED, "true"),
)


def main() -> None:
    times: list[list[float]] = [[] for _ in PARTS]
    # In turn, so that a busy moment of the machine strikes all of them.
    for _ in range(RUNS):
        for taken, (_, code, metrics) in zip(times, PARTS, strict=True):
            taken.append(_milliseconds(code, metrics))
    before = 0.0
    for taken, (part, _, _) in zip(times, PARTS, strict=True):
        median = statistics.median(taken)
        print(f"{part}\t{max(0.0, median - before):.0f}")
        before = median
    print(f"all of it\t{before:.0f}")


def _milliseconds(code: str, metrics: str) -> float:
    env = {**os.environ, "METRICS": metrics, "USE_LOCAL_LLM": "false", "LOCAL_LLM_MODEL": ""}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=env, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
