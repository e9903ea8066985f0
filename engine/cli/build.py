"""`misaki build`: compiles the pipeline into one file, so that a start reads that instead of the YAML.

With a local model it also has the unchanging beginning of the prompts evaluated once, which the worker keeps beside the
model for every later start.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.app import App, load_app
from engine.cli.env_file import Usage
from engine.cli.environment import add_pipeline, conversation_env, pipeline_path
from engine.core.errors import reason_of
from engine.core.language import phrase, tell
from engine.models.registry import BACKENDS
from engine.pipeline.bind import Compiled
from engine.pipeline.stored.find import artefact_path, find_compiled
from engine.validation.load import write_artefact

PATIENCE = 600.0
"""Seconds that a local model may take to load and to read the beginning of its prompts."""
PAUSE = 0.2


def configure(parser: argparse.ArgumentParser) -> None:
    add_pipeline(parser)
    parser.add_argument(
        "--out", metavar="FILE", help="where to write (default: $MISAKI_PLAN, or .cache beside the pipeline)"
    )
    parser.add_argument("--force", action="store_true", help="build even what is up to date")
    parser.add_argument("--plan-only", action="store_true", help="leave the local model alone")


def run(arguments: argparse.Namespace) -> int:
    """1 where the pipeline does not load, the file cannot be written or the local model does not get ready."""
    env = conversation_env(arguments)
    pipeline = pipeline_path(env)
    file = arguments.out or env.get("MISAKI_PLAN", "").strip() or artefact_path(pipeline.as_posix())
    if file == "off":
        raise Usage(phrase("MISAKI_PLAN is `off`, so no plan would be used: unset it, or give --out"))
    env["MISAKI_PLAN"] = file
    began = time.monotonic()
    found = find_compiled(pipeline.as_posix(), env)
    if found.compiled is not None and not arguments.force:
        print(tell("{file} is up to date: {counts}", file=file, counts=_counts(found.compiled)))
        return _warm(env, arguments)
    try:
        read = write_artefact(pipeline, file)
    except OSError as error:
        reason = reason_of(error)
        print(
            f"misaki build: {tell('`{file}` cannot be written: {reason}', file=file, reason=reason)}", file=sys.stderr
        )
        return 1
    size = Path(file).stat().st_size / 1e6
    print(
        tell(
            "{file}: {counts}, {size:.1f} MB in {seconds:.1f} s",
            file=file,
            counts=_counts(read.compiled),
            size=size,
            seconds=time.monotonic() - began,
        )
    )
    return _warm(env, arguments)


def _counts(compiled: Compiled) -> str:
    plan = compiled.plan
    return phrase("{replies} replies, {steps} steps", replies=len(plan.replies), steps=len(plan.steps))


def _warm(env: Mapping[str, str], arguments: argparse.Namespace) -> int:
    """Has the local models in use read the beginning of their prompts, where a model is named."""
    if arguments.plan_only or not env.get("LOCAL_LLM_MODEL", "").strip():
        return 0
    began = time.monotonic()
    app = load_app(env)
    try:
        statuses = _wait(app, began + PATIENCE)
    finally:
        app.close()
    for name, status in statuses.items():
        seconds = time.monotonic() - began
        kept = tell("the beginning of its prompts is read and kept ({seconds:.1f} s)", seconds=seconds)
        print(f"{name}: {status['detail']}{'; ' + kept if status.get('prepared') else ''}")
    return 0 if all(status.get("prepared") for status in statuses.values()) else 1


def _wait(app: App, until: float) -> Mapping[str, Mapping[str, Any]]:
    """Waits until the local models have read the beginning of their prompts, or cannot; gives their states."""
    while True:
        models = app.health()["models"]
        local = {name: models[name] for name in models if BACKENDS[app.plan.models[name].backend].engine == "local"}
        busy = [one for one in local.values() if one["state"] in {"loading", "ready"} and not one.get("prepared")]
        if not busy or time.monotonic() > until:
            return local
        time.sleep(PAUSE)
