"""Writes and opens files of named sections: a line of JSON with their places and origin, then their bytes.

Opening maps the file and reads the header alone. It knows nothing of pipelines.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from zlib import crc32

from engine.core.record import record
from engine.core.table import Damaged

MAGIC = b"misaki plan\n"
_ALIGNMENT = 8
_MOST_HEADER = 16 * 2**20
_OTHERS_WRITE = 0o022


@record
class Container:
    """`about` is what the writer said of the content."""

    about: Mapping[str, Any]
    sections: Mapping[str, memoryview]


def write_container(path: str, about: Mapping[str, Any], sections: Mapping[str, bytes]) -> int:
    """Write to `path`, which is replaced as a whole or not at all; the number of bytes. Raises `OSError`."""
    places: dict[str, tuple[int, int]] = {}
    body = bytearray()
    for name, data in sections.items():
        body += bytes(-len(body) % _ALIGNMENT)
        places[name] = (len(body), len(data))
        body += data
    header = json.dumps({"sections": places, "size": len(body), **about}, separators=(",", ":")).encode()
    head = MAGIC + b"%08x %08x\n" % (len(header), crc32(header)) + header
    head += b" " * (-len(head) % _ALIGNMENT)
    aside = f"{path}.{os.getpid()}.part"
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with suppress(FileNotFoundError):
        os.unlink(aside)
    try:
        with open(aside, "xb") as file:
            file.write(head + body)
        os.chmod(aside, os.stat(aside).st_mode & 0o777 & ~_OTHERS_WRITE)
        os.replace(aside, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(aside)
    return len(head) + len(body)


def open_container(path: str, source: str | None = None) -> Container:
    """Raises `OSError` for a file that cannot be read, and `Damaged` for one that is not as it was written, or that
    somebody may have written who may not write `source`.
    """
    if sys.byteorder != "little":
        raise Damaged("it can only be read on a little-endian machine")
    # Opened without waiting for a writer, should it be a pipe.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if source is not None and not _is_as_safe(os.fstat(file.fileno()), source):
            raise Damaged("somebody else may have written it")
        try:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError:
            raise Damaged("it is empty") from None
    start = len(MAGIC) + 18
    if data[: len(MAGIC)] != MAGIC or len(data) < start:
        raise Damaged("it is no compiled pipeline")
    try:
        length, check = (int(word, 16) for word in bytes(data[len(MAGIC) : start]).split())
    except ValueError:
        raise Damaged("its beginning is not what was written") from None
    header = data[start : start + length]
    if length > _MOST_HEADER or len(header) < length or crc32(header) != check:
        raise Damaged("its header is not what was written")
    about = json.loads(bytes(header))
    body = data[start + length + -(start + length) % _ALIGNMENT :]
    if len(body) != about["size"]:
        raise Damaged("it is cut short")
    sections = {name: body[place : place + size] for name, (place, size) in about["sections"].items()}
    return Container(about=about, sections=sections)


def _is_as_safe(file: os.stat_result, path: str) -> bool:
    """Tells whether only root, this user, and those who may change the source at `path` can have written `file`."""
    try:
        source = os.stat(path)
    except OSError:
        raise Damaged("its source has changed, or is gone") from None
    others = file.st_mode & _OTHERS_WRITE & ~source.st_mode
    return file.st_uid in {0, os.geteuid(), source.st_uid} and not others
