"""`misaki calibrate`: how many replies are wrong and how many are missed at each threshold, and which one suits."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from engine.app import pipeline_path
from engine.cli.environment import add_pipeline, conversation_env
from engine.golden.calibrate import Calibration, NoThreshold, calibrate, threshold_step, write_threshold
from engine.golden.find import NotFound, find_goldens
from engine.golden.pipelines import Pipelines
from engine.golden.report.calibration import render, show
from engine.golden.result import ConversationResult
from engine.golden.run import Runner, load_goldens
from engine.golden.samples import samples
from engine.golden.secrets import Secrets
from engine.golden.stage import Settings
from engine.model.plan import RepliesStep

USAGE = 2


def configure(parser: argparse.ArgumentParser) -> None:
    add_pipeline(parser)
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", type=Path, help="golden files or folders (default: tests/golden)"
    )
    parser.add_argument("--html", metavar="FILE", type=Path, help="write a page with the plot")
    parser.add_argument("--write", action="store_true", help="write the recommended threshold into the pipeline")


def run(arguments: argparse.Namespace) -> int:
    """0 where the threshold suits or was written, 1 where another would be better, 2 where there is none."""
    pipelines = Pipelines()
    path = pipeline_path(conversation_env(arguments))
    try:
        found = _calibration(path, find_goldens(arguments.paths), pipelines)
        show(found, Console(highlight=False, soft_wrap=True))
        if arguments.html:
            arguments.html.write_text(render(found), encoding="utf-8")
        if found.recommended == found.current:
            return 0
        if not arguments.write:
            return 1
        print(f"written into {write_threshold(pipelines.spec(path), found.recommended).as_posix()}")
    except (NotFound, NoThreshold) as error:
        print(f"misaki calibrate: {error}", file=sys.stderr)
        return USAGE
    return 0


def _calibration(path: Path, goldens: Sequence[Path], pipelines: Pipelines) -> Calibration:
    spec = pipelines.spec(path)
    step = threshold_step(spec)
    plan = pipelines.plan(path, {})
    current = next(one.threshold for one in plan.steps if isinstance(one, RepliesStep) and one.id == step.id.value)
    return calibrate(spec.name.value, current, samples(spec, plan, _played(path, goldens, pipelines)))


def _played(path: Path, goldens: Sequence[Path], pipelines: Pipelines) -> list[ConversationResult]:
    """The results of the goldens of this pipeline."""
    loaded = [one for one in load_goldens(goldens, pipelines) if one.golden.pipeline_path.resolve() == path.resolve()]
    runner = Runner(pipelines=pipelines, settings=Settings(secrets=Secrets(os.environ)))
    return list(runner.run(loaded))
