"""Finds the stored plan of a pipeline at a cold start, and uses it where its sources have not changed.

The origin of a plan is every source file of the pipeline, the files that its patterns name, and the engine's own code.
A file of the same size and date is taken for the same; where the date differs, as after copying into an image, its
content decides.

`MISAKI_PLAN` names another file than the one beside the pipeline; `off` looks for none. A plan says all that the bot
says, so that it is used only where nobody can have written it who may not change the pipeline's own file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from glob import glob
from typing import Any

from engine import __version__
from engine.core.errors import reason_of
from engine.core.record import record
from engine.core.table import Damaged
from engine.pipeline.bind import Compiled
from engine.pipeline.stored.container import open_container
from engine.pipeline.stored.content import from_sections

FORMAT = 6
"""Raised with every change of what is stored, or of how."""

_ENGINE = os.path.abspath(f"{__file__}/../../..")
_COMPILERS = ("core", "expressions", "kinds", "matching", "pipeline", "templates", "text")
_READERS = ("pipeline/reading", "pipeline/schema", "pipeline/stored")
"""The packages of the engine that what is stored depends on."""

_RACE = 2
"""Seconds before the writing in which a file may have been changed once more with the same date."""


def origin_of(pipeline: str, files: Iterable[str], patterns: Iterable[str], built: float) -> dict[str, Any]:
    """The origin of what was compiled from `files`, by the names that spans give them, since the Unix time `built`.

    Raises `OSError` when a file cannot be read.
    """
    return {
        "format": FORMAT,
        "engine": __version__,
        "python": list(sys.version_info[:2]),
        "pipeline": pipeline,
        "built": built,
        "files": [_mark(name, name, built) for name in files],
        "patterns": [[pattern, sorted(glob(pattern))] for pattern in patterns],
        "code": [_mark(name, f"{_ENGINE}/{name}", built) for name in _code()],
    }


def difference(origin: Mapping[str, Any], pipeline: str) -> str | None:
    """Tells in an operator's words what has changed since `origin` was noted; `None` where nothing has."""
    here = [FORMAT, __version__, list(sys.version_info[:2])]
    if [origin.get(key) for key in ("format", "engine", "python")] != here:
        return "it was made by another version"
    if origin["pipeline"] != pipeline:
        return f"it was made of `{origin['pipeline']}`"
    for pattern, names in origin["patterns"]:
        if sorted(glob(pattern)) != names:
            return f"`{pattern}` names other files now"
    for mark in origin["files"]:
        if not _fits(mark, mark[0], origin["built"]):
            return f"`{mark[0]}` has changed"
    if any(not _fits(mark, f"{_ENGINE}/{mark[0]}", origin["built"]) for mark in origin["code"]):
        return "the engine has changed"
    return None


def _code() -> list[str]:
    found = []
    for package in (*_COMPILERS, *_READERS):
        with os.scandir(f"{_ENGINE}/{package}") as entries:
            found += [f"{package}/{entry.name}" for entry in entries if entry.name.endswith((".py", ".json"))]
    return sorted(found)


def _mark(name: str, path: str, built: float) -> list[Any]:
    known = os.stat(path)
    # Changed while it was compiled: what was compiled is not what is there now.
    digest = "" if known.st_mtime > built else _digest(path)
    return [name, known.st_size, int(known.st_mtime), digest]


def _fits(mark: Sequence[Any], path: str, built: float) -> bool:
    _, size, date, digest = mark
    try:
        known = os.stat(path)
        if known.st_size != size:
            return False
        # Dates are held to the second: layers of an image keep no more.
        unchanged = int(known.st_mtime) == date and date < built - _RACE
        return bool(unchanged or _digest(path) == digest)
    except OSError:
        return False


def _digest(path: str) -> str:
    from hashlib import sha256  # OpenSSL, for files with another date

    with open(path, "rb") as file:
        return sha256(file.read()).hexdigest()


@record
class Found:
    """The stored pipeline, or a `note` that tells why a file that is there is not used."""

    file: str
    compiled: Compiled | None = None
    note: str = ""


def artefact_path(pipeline: str) -> str:
    """The path of the stored plan of `pipeline`: in a folder beside it, which git ignores."""
    folder, name = os.path.split(pipeline)
    return os.path.join(folder, ".cache", os.path.splitext(name)[0] + ".plan")


def find_compiled(pipeline: str, env: Mapping[str, str]) -> Found:
    """Never raises: an artefact that cannot be used is left aside."""
    file = env.get("MISAKI_PLAN", "").strip() or artefact_path(pipeline)
    if file == "off":
        return Found(file=file)
    try:
        container = open_container(file, pipeline)
        reason = difference(container.about, pipeline)
        if reason is None:
            return Found(file=file, compiled=from_sections(container.sections))
    except FileNotFoundError:
        return Found(file=file)
    except Damaged as error:
        reason = str(error)
    except OSError as error:
        reason = reason_of(error)
    except (LookupError, TypeError, ValueError):
        reason = "it is not what was written"
    return Found(file=file, note=f"`{file}` is not used: {reason}; `misaki build` makes it anew")
