"""Where commands write: the terminal or a pipe, and files that a user names."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rich.console import Console


class Terminal(Console):
    """Standard output, whose lines are not broken unless `wraps` says so."""

    def __init__(self, *, wraps: bool = False) -> None:
        super().__init__(highlight=False, soft_wrap=not wraps)

    def on_broken_pipe(self) -> None:
        """Whoever prints is told, as by `print`; by itself rich would end the process."""
        raise BrokenPipeError


def output_file(text: str) -> Path:
    """The type of an option that names a file to write: told before the work is done, if it cannot be."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"`{text}` is a folder: name a file")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"`{text}` cannot be written: `{folder}` is no folder")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise argparse.ArgumentTypeError(f"`{text}` cannot be written: permission denied")
    return path


def write_output(path: Path, text: str) -> None:
    """Writes the file, and the folders above it where they are missing. Names of files may hold what is no text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
