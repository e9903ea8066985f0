"""Keeps what a model computed for a prompt's unchanging beginning, so that the next process need not compute it
again.

A state is worth time and nothing else: one that is missing, stale or damaged is not found, and one that cannot be
kept is not kept. The bytes are the engine's own; this module knows only where they lie and whether they are whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import tempfile
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_MAGIC: Final = b"misaki state 1\n"
_HEAD: Final = len(_MAGIC) + 4
_SAMPLE: Final = 2**20
_MAX_SAVED: Final = 2
"""States that one process writes: a prompt whose beginning changes with every turn shall not fill the disk."""

_MAX_KEPT: Final = 8
"""States in a folder; the oldest go."""


@dataclass(slots=True)
class StateStore:
    """States of one model under fixed settings; `scope` is a digest of both. The first folder that can be written
    is.
    """

    folders: tuple[Path, ...]
    scope: str
    _saved: int = field(default=0, init=False)

    def find(self, tokens: Sequence[int]) -> memoryview | None:
        """The state after `tokens`, if a whole one is there; it may be written over."""
        for folder in self.folders:
            with contextlib.suppress(OSError, ValueError):
                data = memoryview(_mapped(folder / self._name(tokens)))
                if data[:_HEAD] == _head(data[_HEAD:]):
                    return data[_HEAD:]
        return None

    def keep(self, tokens: Sequence[int], state: bytes) -> bool:
        """Whether the state was written; a half-written one is never seen under its name."""
        if self._saved >= _MAX_SAVED:
            return False
        self._saved += 1
        return any(self._write(folder, self._name(tokens), state) for folder in self.folders)

    def discard(self, tokens: Sequence[int]) -> None:
        """Forget a state that the engine did not accept."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                (folder / self._name(tokens)).unlink()

    def _write(self, folder: Path, name: str, state: bytes) -> bool:
        partial = folder / f"{name}.{os.getpid()}.part"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(_head(memoryview(state)))
                file.write(state)
            partial.replace(folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink()
            return False
        _prune(folder)
        return True

    def _name(self, tokens: Sequence[int]) -> str:
        digest = hashlib.sha256(self.scope.encode() + array("i", tokens).tobytes())
        return f"{digest.hexdigest()[:32]}.state"


def default_folders(model: Path, cache: str) -> tuple[Path, ...]:
    """Beside the model, where an image can bring them along, else in the folder for temporary files."""
    if cache == "off":
        return ()
    if cache:
        return (Path(cache),)
    return (model.with_name(f"{model.name}.states"), Path(tempfile.gettempdir()) / "misaki-states")


def scope_of(model: Path, *settings: object) -> str:
    """A digest of what a state depends on. Of the file, its size, beginning and end are read; raises `OSError`.

    No dates: building an image changes them.
    """
    digest = hashlib.sha256(repr(settings).encode())
    with model.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        digest.update(str(size).encode())
        for start in (0, max(0, size - _SAMPLE)):
            file.seek(start)
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


def _mapped(path: Path) -> mmap.mmap:
    """A private mapping, which the engine may take as it is: copying megabytes would be a good part of a restart.

    Raises `OSError`, and `ValueError` for an empty file.
    """
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _head(state: memoryview) -> bytes:
    return _MAGIC + zlib.crc32(state).to_bytes(4, "little")


def _prune(folder: Path) -> None:
    with contextlib.suppress(OSError):
        states = sorted(folder.glob("*.state"), key=lambda path: path.stat().st_mtime)
        for path in states[:-_MAX_KEPT]:
            path.unlink()
