"""Keeps what a model computed for a prompt's unchanging beginning, so that the next process need not compute it
again.

A state is worth time and nothing else: one that is missing, stale or damaged is not found, and one that cannot be
kept is not kept. The bytes are the engine's own; this module knows only where they lie, whether they are whole, and
who may have written them: whoever plants a state puts words into the persona's mouth.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import stat
import tempfile
import zlib
from array import array
from collections.abc import Iterator, Sequence
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

_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


@dataclass(slots=True)
class StateStore:
    """States of one model under fixed settings; `scope` is a digest of both. The first folder that can be written
    is.

    Only those whom `owners` names, root and this process may have written in a folder: none that is a link, or that
    others may write in, is used. What root prepares, others may read, as in an image.
    """

    folders: tuple[Path, ...]
    scope: str
    owners: frozenset[int] = frozenset()
    _saved: int = field(default=0, init=False)

    def find(self, tokens: Sequence[int]) -> memoryview | None:
        """The state after `tokens`, if a whole one is there; it may be written over."""
        for folder in self.folders:
            with contextlib.suppress(OSError, ValueError), self._opened(folder) as place:
                data = memoryview(self._mapped(self._name(tokens), place))
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
            with contextlib.suppress(OSError), self._opened(folder) as place:
                os.unlink(self._name(tokens), dir_fd=place)

    def _write(self, folder: Path, name: str, state: bytes) -> bool:
        partial = f"{name}.{os.getpid()}.part"
        private = 0o755 if os.geteuid() == 0 else 0o700
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=private)
            _close_to_others(folder)
            with self._opened(folder) as place:
                try:
                    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                    with open(os.open(partial, flags, private & 0o644, dir_fd=place), "wb") as file:  # noqa: PTH123 - of a folder that is open
                        file.write(_head(memoryview(state)))
                        file.write(state)
                    os.replace(partial, name, src_dir_fd=place, dst_dir_fd=place)
                finally:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(partial, dir_fd=place)
                _prune(place)
        except OSError:
            return False
        return True

    @contextlib.contextmanager
    def _opened(self, folder: Path) -> Iterator[int]:
        """The descriptor of a folder, so that no other can take its place; raises `OSError`."""
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self._trust(place)
            yield place
        finally:
            os.close(place)

    def _trust(self, descriptor: int) -> None:
        """Raises `PermissionError` for what somebody else may have written."""
        about = os.fstat(descriptor)
        if about.st_uid not in {0, os.geteuid(), *self.owners} or about.st_mode & _OTHERS_WRITE:
            raise PermissionError("somebody else may have written it")

    def _mapped(self, name: str, place: int) -> mmap.mmap:
        """A private mapping, which the engine may take as it is: copying megabytes would be a good part of a restart.

        Raises `OSError`, and `ValueError` for an empty file.
        """
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place)
        try:
            self._trust(file)
            return mmap.mmap(file, 0, access=mmap.ACCESS_COPY)
        finally:
            os.close(file)

    def _name(self, tokens: Sequence[int]) -> str:
        digest = hashlib.sha256(self.scope.encode() + array("i", tokens).tobytes())
        return f"{digest.hexdigest()[:32]}.state"


def default_folders(model: Path, cache: str) -> tuple[Path, ...]:
    """Beside the model, where an image can bring them along, else in the folder for temporary files."""
    if cache == "off":
        return ()
    if cache:
        return (Path(cache),)
    own = Path(tempfile.gettempdir()) / f"misaki-states-{os.geteuid()}"
    return (model.with_name(f"{model.name}.states"), own)


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


def _head(state: memoryview) -> bytes:
    return _MAGIC + zlib.crc32(state).to_bytes(4, "little")


def _close_to_others(folder: Path) -> None:
    """Takes the right to write from others, where the folder is ours: an older version or a mask may have given it."""
    about = folder.lstat()
    if stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid() and about.st_mode & _OTHERS_WRITE:
        folder.chmod(stat.S_IMODE(about.st_mode) & ~_OTHERS_WRITE)


def _prune(place: int) -> None:
    with contextlib.suppress(OSError):
        names = [name for name in os.listdir(place) if name.endswith(".state")]
        names.sort(key=lambda name: os.stat(name, dir_fd=place, follow_symlinks=False).st_mtime)
        for name in names[:-_MAX_KEPT]:
            os.unlink(name, dir_fd=place)
