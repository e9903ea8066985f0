"""Did you mean: the allowed word nearest to the one that an editor wrote."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from pathlib import Path

from rapidfuzz.distance import OSA

from engine.pipeline.reading.project import PIPELINES

ALIKE = 0.6
"""Least similarity of two words, unless they are one edit apart."""


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """The word of `allowed` that `word` is probably a misspelling of; ties go to the first."""
    best: tuple[float, str] | None = None
    word = unicodedata.normalize("NFKC", word)
    for candidate in allowed:
        edits = OSA.distance(word, candidate)
        alike = OSA.normalized_similarity(word, candidate)
        if edits <= 1 or alike >= ALIKE:
            rank = 2.0 - edits / 100 if edits <= 1 else alike
            if best is None or rank > best[0]:
                best = (rank, candidate)
    return best[1] if best else None


def hint(word: str, allowed: Collection[str]) -> str:
    """What to write instead of `word`: the nearest allowed word, or all of them."""
    close = nearest(word, allowed)
    if close is not None:
        return f"did you mean `{close}`?"
    return "known: " + ", ".join(f"`{name}`" for name in allowed) if 0 < len(allowed) <= 20 else ""


def pipelines_in(folder: Path) -> list[Path]:
    """The files in `folder` that may be pipelines, by their names."""
    return sorted(file for file in folder.glob("*.y*ml") if not file.stem.endswith(".golden"))


def pipeline_meant(path: Path) -> Path | None:
    """The pipeline that `path`, which is no file, probably names: without its ending or its folder, or misspelt."""
    there = {file.stem: file for folder in (PIPELINES, path.parent) for file in pipelines_in(folder)}
    close = nearest(path.stem, there)
    return None if close is None else there[close]
