"""Compiles a pipeline and writes its artefact."""

from __future__ import annotations

import time
from pathlib import Path

from engine.building.artefact.container import write_container
from engine.building.artefact.content import to_sections
from engine.building.artefact.origin import origin_of
from engine.building.load import Read, read


def write_artefact(pipeline: Path, out: str) -> Read:
    """Make `out` of the pipeline and return what was read; raises `ConfigError`, and `OSError` for `out`."""
    began = time.time()
    found = read(pipeline)
    origin = origin_of(pipeline.as_posix(), found.files, found.patterns, began)
    write_container(out, origin, to_sections(found.compiled))
    return found
