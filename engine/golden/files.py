"""Writes over a file of an editor's so that what was there is lost only when the new text is whole."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path


def overwrite(path: Path, data: bytes) -> None:
    """Written aside first: on a full disk the old file stays. Raises `OSError` that names `path`."""
    target = path.resolve()
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        aside.write_bytes(data)
        with suppress(FileNotFoundError):
            shutil.copymode(target, aside)
        aside.replace(target)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from None
