"""Reads, checks and compiles a pipeline file into a plan, or into the file that a start reads instead of the YAML."""

from __future__ import annotations

import glob
import time
from collections.abc import Mapping
from pathlib import Path

from engine.core.errors import ConfigError
from engine.core.plan import Plan
from engine.core.record import record
from engine.pipeline.bind import Compiled, bind
from engine.pipeline.compile import compile_pipeline
from engine.pipeline.schema.load import read_pipeline
from engine.pipeline.stored.container import write_container
from engine.pipeline.stored.content import to_sections
from engine.pipeline.stored.find import origin_of
from engine.validation.checks import ESSENTIAL, run
from engine.validation.subject import Subject


@record
class Read:
    """A compiled pipeline, the files that it was read from and the patterns that found some of them."""

    compiled: Compiled
    files: tuple[str, ...]
    patterns: tuple[str, ...]


def load(path: Path | str, env: Mapping[str, str]) -> Plan:
    """The plan of the pipeline at `path`; raises `ConfigError` with every error found."""
    return bind(read(Path(path)).compiled, env)


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


def write_artefact(pipeline: Path, out: str) -> Read:
    """Compile `pipeline` into the file `out`, return what was read; raises `ConfigError`, and `OSError` for `out`."""
    began = time.time()
    found = read(pipeline)
    origin = origin_of(pipeline.as_posix(), found.files, found.patterns, began)
    write_container(out, origin, to_sections(found.compiled))
    return found
