"""Finds golden files where an editor keeps them, and the turns in which a text is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.core.source import Span
from engine.pipeline.schema.golden import SUFFIX, load_golden
from engine.text.cleaning import clean

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A golden turn in which the user says a text."""

    conversation: str
    span: Span


def mentions(text: str, paths: Iterable[Path] = ()) -> list[Mention]:
    """The golden turns in which the user says just `text`; files with mistakes are passed over."""
    found: list[Mention] = []
    for path in find_goldens(paths):
        # Most files can be told by their bytes alone, without reading what they mean.
        if text.encode("utf-8", "replace") in _bytes(path):
            golden, _ = load_golden(path)
            found += [
                Mention(conversation=conversation.name.value, span=turn.user.span)
                for conversation in (golden.conversations if golden else ())
                for turn in conversation.turns
                if clean(turn.user.value) == text
            ]
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
