"""From a pipeline file to a compiled pipeline or a plan, or to the problems that stand in its way."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from pathlib import Path

from engine.building.bind import bind
from engine.building.checks import ESSENTIAL, run
from engine.building.checks.subject import Subject
from engine.building.compile import compile_pipeline
from engine.model.compiled import Compiled
from engine.model.errors import ConfigError
from engine.model.plan import Plan
from engine.model.record import record
from engine.schema.load import read_pipeline


@record
class Read:
    """A compiled pipeline, the files that it was read from and the patterns that found some of them."""

    compiled: Compiled
    files: tuple[str, ...]
    patterns: tuple[str, ...]


def load(path: Path, env: Mapping[str, str]) -> Plan:
    """The plan of the pipeline at `path`; raises `ConfigError` with every error found."""
    return bind(read(path).compiled, env)


def read(path: Path) -> Read:
    """The pipeline at `path`, compiled; raises `ConfigError` with every error found."""
    loaded = read_pipeline(path)
    spec = loaded.spec
    if spec is None or any(problem.severity == "error" for problem in loaded.problems):
        raise ConfigError(loaded.problems)
    subject = Subject(spec=spec)
    errors = [problem for problem in run(ESSENTIAL, subject) if problem.severity == "error"]
    if errors:
        raise ConfigError(errors)
    prompts = subject.prompts
    folder = glob.escape(path.parent.as_posix())
    return Read(
        compiled=compile_pipeline(spec, {name: prompt.text or "" for name, prompt in prompts.items()}),
        files=(*loaded.files, *(prompt.file for prompt in prompts.values())),
        patterns=tuple(f"{folder}/{pattern.value}" for pattern in (*spec.reply_globs, *spec.kind_globs)),
    )
