"""`misaki calibrate`: counts the replies that are wrong and missed at each threshold, and says which one suits; or
measures how well kinds of sentences are told apart.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from engine.cli.env_file import Usage
from engine.cli.environment import add_pipeline, conversation_env, pipeline_path
from engine.cli.output import Terminal, output_file, write_output
from engine.core.errors import reason_of
from engine.core.language import phrase, tell
from engine.golden.calibrate import Calibration, NoThreshold, calibrate, samples, threshold_step, write_threshold
from engine.golden.kind_accuracy import NoKinds, leave_one_out, on_file
from engine.golden.report.calibration import render, show, show_kinds
from engine.golden.run import NotFound, Pipelines, Runner, find_goldens, load_goldens
from engine.golden.stage import Settings
from engine.models.secrets import Secrets


def configure(parser: argparse.ArgumentParser) -> None:
    add_pipeline(parser)
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", type=Path, help="golden files or folders (default: tests/golden, golden)"
    )
    parser.add_argument("--html", metavar="FILE", type=output_file, help="write a page with the plot")
    parser.add_argument(
        "--kinds",
        metavar="FILE",
        nargs="?",
        const=Path(),
        type=Path,
        help="measure kinds of sentences instead, on JSON lines with `text` and `kind`; without FILE on the examples",
    )
    parser.add_argument("--write", action="store_true", help="write the recommended threshold into the pipeline")


def run(arguments: argparse.Namespace) -> int:
    """0 where the threshold suits or was written, 1 where another would be better, 2 where there is none."""
    pipelines = Pipelines()
    path = pipeline_path(conversation_env(arguments))
    if arguments.kinds is not None:
        return _kinds(path, arguments.kinds, pipelines)
    try:
        found = _calibration(path, find_goldens(arguments.paths), pipelines)
        show(found, Terminal())
        if arguments.html:
            write_output(arguments.html, render(found))
        if found.recommended == found.current:
            return 0
        if not arguments.write:
            return 1
        file = write_threshold(pipelines.spec(path), found.recommended)
        print(tell("written into {file}", file=file.as_posix()))
    except (NotFound, NoThreshold) as error:
        raise Usage(str(error)) from None
    return 0


def _kinds(path: Path, file: Path, pipelines: Pipelines) -> int:
    try:
        by_file = file != Path()
        found = on_file(pipelines.plan(path, {}).kinds, file) if by_file else leave_one_out(pipelines.spec(path))
    except NoKinds as error:
        raise Usage(str(error)) from None
    except OSError as error:
        raise Usage(phrase("`{file}` cannot be read: {reason}", file=file, reason=reason_of(error))) from None
    show_kinds(found, Terminal())
    return 0


def _calibration(path: Path, goldens: Sequence[Path], pipelines: Pipelines) -> Calibration:
    spec = pipelines.spec(path)
    step = threshold_step(spec)
    plan = pipelines.plan(path, {})
    current = next(one.threshold for one in plan.steps if one.id == step.id.value)
    own = [one for one in load_goldens(goldens, pipelines) if one.golden.pipeline_path.resolve() == path.resolve()]
    runner = Runner(pipelines=pipelines, settings=Settings(secrets=Secrets(os.environ)))
    return calibrate(spec.name.value, current, samples(spec, plan, list(runner.run(own))))
