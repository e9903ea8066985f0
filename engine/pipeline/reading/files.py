"""A file to a tree: reading, decoding and composing in one call."""

from __future__ import annotations

from pathlib import Path

from engine.core.source import Problem
from engine.pipeline.reading.compose import compose
from engine.pipeline.reading.decoding import read_text
from engine.pipeline.reading.node import Node


def read_file(path: Path, name: str) -> tuple[Node | None, list[Problem]]:
    """The tree of a YAML file, and every mistake found in it; `name` is what spans and problems call the file."""
    text, problems = read_text(path, name)
    if text is None:
        return None, problems
    return compose(text, name)
