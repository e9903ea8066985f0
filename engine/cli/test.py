"""`misaki test`: plays the golden conversations, and shows turn by turn what is not as it was."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from engine.cli.env_file import Usage
from engine.cli.output import Terminal, output_file, write_output
from engine.core.language import phrase, said, tell
from engine.golden.accept import NotWritten, accept
from engine.golden.coverage import coverage, near_misses
from engine.golden.report.console import (
    Progress,
    show_accepted,
    show_coverage,
    show_failures,
    show_near_misses,
    show_summary,
)
from engine.golden.report.files import render_html, render_junit
from engine.golden.result import ConversationResult
from engine.golden.run import Loaded, NotFound, Pipelines, Runner, find_goldens, load_goldens
from engine.golden.stage import Mode, Settings
from engine.models.secrets import Secrets


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", type=Path, help="golden files or folders (default: tests/golden, golden)"
    )
    parser.add_argument("-k", metavar="WORD", dest="word", help="only conversations with WORD in their file or name")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--record", action="store_true", help="ask the models, and keep what they say in cassettes")
    mode.add_argument("--live", action="store_true", help="ask the models, and keep nothing")
    parser.add_argument("--accept", action="store_true", help="write what came into the files as what is expected")
    parser.add_argument(
        "--coverage", action="store_true", help="list what no golden exercises and what is nearly stolen"
    )
    parser.add_argument("--junit", metavar="FILE", type=output_file, help="write the results as JUnit XML")
    parser.add_argument("--html", metavar="FILE", type=output_file, help="write the results as one HTML page")
    parser.add_argument("--repeat", metavar="N", type=_count, default=1, help="play each conversation N times")
    parser.add_argument(
        "--patience", metavar="X", type=_factor, default=1.0, help="X times the time limits, with --record and --live"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 where all is as expected, 1 where something is not, 2 where there is nothing to play."""
    paths = _goldens(arguments.paths)
    console = Terminal()
    mode: Mode = "record" if arguments.record else "live" if arguments.live else "replay"
    settings = Settings(mode=mode, patience=arguments.patience, secrets=Secrets(os.environ))
    runner = Runner(pipelines=Pipelines(), settings=settings, env=os.environ, repeat=arguments.repeat)
    began = time.perf_counter()
    results = _play(runner, load_goldens(paths, runner.pipelines), arguments.word, console)
    if not results:
        raise Usage(phrase("no conversation has `{word}` in its file or name", word=arguments.word))
    show_failures(results, console)
    seconds = time.perf_counter() - began
    covered = coverage(results, runner.pipelines) if arguments.coverage else []
    near = near_misses(results)
    show_coverage(covered, console)
    show_near_misses(near, console)
    if arguments.junit:
        write_output(arguments.junit, render_junit(results))
    if arguments.html:
        write_output(arguments.html, render_html(results, coverage=covered, near=near, seconds=seconds))
    show_summary(results, seconds, console)
    if arguments.accept:
        return _accept(results, console)
    return int(any(result.status in ("failed", "stale") for result in results))


def _goldens(paths: Sequence[Path]) -> list[Path]:
    try:
        found = find_goldens(paths)
    except NotFound as error:
        raise Usage(str(error)) from None
    if not found:
        raise Usage(phrase("there is no golden file in `tests/golden`; `misaki chat --save FILE` makes one"))
    return found


def _play(runner: Runner, goldens: Sequence[Loaded], word: str | None, console: Console) -> list[ConversationResult]:
    progress = Progress(console)
    results = []
    for result in runner.run(goldens, lambda golden, one: word is None or word in f"{golden.path}::{one.name.value}"):
        progress.take(result)
        results.append(result)
    progress.end()
    return results


def _accept(results: Sequence[ConversationResult], console: Console) -> int:
    try:
        done = accept(results)
    except NotWritten as error:
        print(f"misaki test: {said(str(error))}", file=sys.stderr)
        return 1
    show_accepted(done, console)
    return int(bool(done.left) or any(result.status == "stale" for result in results))


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(tell("`{text}` is no number of times: expected 1 or more", text=text))
    return int(text)


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 0 < factor < math.inf:
        raise argparse.ArgumentTypeError(tell("`{text}` is no factor: expected a number such as 10", text=text))
    return factor
