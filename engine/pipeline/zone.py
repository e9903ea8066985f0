"""The rules of a time zone as the bytes of their IANA file, so that no process has to look for it when it starts."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from zoneinfo import TZPATH


def zone_rules(name: str) -> bytes:
    """The file of the zone `name`, from this machine or from the package `tzdata`; empty where neither has it."""
    for folder in TZPATH:
        path = Path(folder, name)
        if path.is_file():
            return path.read_bytes()
    try:
        return files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    except (ImportError, OSError):
        return b""
