"""`misaki validate`: shows every mistake in the editor's files, at its place, with what to write instead."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine.cli.env_file import Usage
from engine.core.language import phrase, spoken, tell
from engine.pipeline.reading.files import Sources, states
from engine.pipeline.schema.advice import hint
from engine.validation.codes import CODES, page
from engine.validation.project import files_below, validate
from engine.validation.reporters import text
from engine.validation.reporters.report import Report, to_github, to_json, to_sarif

DEFAULT_PATHS = ("pipelines", "replies", "kinds", "tests/golden", "golden")
INTERVAL = 0.3
"""Seconds between two looks at the files with `--watch`."""

_PLAIN: Mapping[str, Callable[[Report], str]] = {"json": to_json, "github": to_github, "sarif": to_sarif}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=Path,
        help="files or folders (default: pipelines, replies, kinds, tests/golden)",
    )
    parser.add_argument("--format", choices=("text", *_PLAIN), default="text", help="default: %(default)s")
    parser.add_argument("--strict", action="store_true", help="warnings fail, too")
    parser.add_argument("--select", metavar="CODE", type=_codes, default=(), help="only these codes or blocks: P203,P5")
    parser.add_argument("--ignore", metavar="CODE", type=_codes, default=(), help="all but these codes or blocks")
    parser.add_argument("--watch", action="store_true", help="check again whenever a file is saved")
    parser.add_argument("--explain", metavar="CODE", type=_codes, help="print what a code means, and check nothing")


def run(arguments: argparse.Namespace) -> int:
    """0 where nothing is wrong, 1 where something is, 2 where there is nothing to check."""
    if arguments.explain:
        print("\n".join(page(code, spoken.get()) for code in CODES if code.startswith(arguments.explain)), end="")
        return 0
    paths = arguments.paths or [path for path in map(Path, DEFAULT_PATHS) if path.is_dir()]
    missing = [path for path in paths if not path.exists()]
    if missing or not paths:
        what = (
            phrase("`{path}` does not exist", path=missing[0])
            if missing
            else phrase("there is no folder `pipelines` or `replies` here; `misaki init NAME` writes a bot")
        )
        raise Usage(what)
    if not arguments.watch:
        code = _check(paths, arguments)
        # The process ends, and takes what was read with it: looking for garbage in it first takes a while.
        gc.freeze()
        return code
    return watch(paths, arguments, wait_for_change)


def watch(paths: Sequence[Path], arguments: argparse.Namespace, wait: Callable[[Sequence[Path]], bool]) -> int:
    """Checks again as long as `wait` says that something changed; the exit code is that of the last check."""
    while True:
        print("\x1b[2J\x1b[H" if sys.stdout.isatty() else "", end="")
        code = _check(paths, arguments)
        if not wait(paths):
            return code


def _check(paths: Sequence[Path], arguments: argparse.Namespace) -> int:
    began = time.perf_counter()
    sources = Sources()
    # What is read lives until the report is shown, and looking for garbage in it takes a tenth of the time.
    gc.disable()
    findings = validate(paths, sources)
    gc.enable()
    kept = tuple(
        problem
        for problem in findings.problems
        if (not arguments.select or problem.code.startswith(arguments.select))
        and not (arguments.ignore and problem.code.startswith(arguments.ignore))
    )
    seconds = time.perf_counter() - began
    report = Report(problems=kept, files=len(findings.files), replies=findings.replies, seconds=seconds)
    if arguments.format == "text":
        wanted = sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))
        shown = text.render(report, sources, colour=wanted and not os.environ.get("NO_COLOR"))
    else:
        shown = _PLAIN[arguments.format](report)
    sys.stdout.write(shown)
    sys.stdout.flush()
    return 1 if report.errors or (arguments.strict and report.warnings) else 0


def _codes(words: str) -> tuple[str, ...]:
    """Codes and blocks of codes, separated by commas."""
    found = tuple(word.strip().upper() for word in words.split(",") if word.strip())
    for word in found:
        if not any(code.startswith(word) for code in CODES):
            advice = hint(word, CODES) or phrase("codes are like P203 or P5")
            raise argparse.ArgumentTypeError(tell("`{word}` is no code: {advice}", word=word, advice=advice))
    return found


def wait_for_change(paths: Sequence[Path]) -> bool:
    """Returns when a file that the check may have read was saved, added or removed."""
    before = states(_read_files(paths))
    while states(_read_files(paths)) == before:
        time.sleep(INTERVAL)
    return True


def _read_files(paths: Sequence[Path]) -> set[Path]:
    """Every file that the check may have read."""
    return {*files_below(paths), *Path().glob("*/prompts/*"), *Path().glob("replies/*/*")}
