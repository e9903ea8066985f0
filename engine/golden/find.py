"""Finds golden files where an editor keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.schema.golden_spec import SUFFIX

DEFAULT_PATHS = (Path("tests/golden"), Path("golden"))
_HIDDEN = frozenset({"node_modules", "__pycache__", "venv"})


class NotFound(ValueError):
    """A path that was asked for is no golden file and holds none; the message names it."""


def find_goldens(paths: Iterable[Path]) -> list[Path]:
    """The golden files at and below `paths`, each once, in order; without paths those below the usual folders.

    Raises:
        NotFound: a path that holds none.
    """
    given = list(paths)
    found: dict[Path, None] = {}
    for path in given or [path for path in DEFAULT_PATHS if path.is_dir()]:
        files = [path] if path.is_file() and path.name.endswith(SUFFIX) else _below(path)
        if not files and given:
            raise NotFound(f"no golden file at `{path.as_posix()}`: their names end in `{SUFFIX}`")
        found.update(dict.fromkeys(files))
    return list(found)


def _below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.rglob(f"*{SUFFIX}")
        if not any(part.startswith(".") or part in _HIDDEN for part in path.relative_to(folder).parts)
    )
