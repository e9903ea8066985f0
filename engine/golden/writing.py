"""Writes golden files and cassettes as an editor would: quotes only where they must be, a file changed only whole."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from engine.core.node import resolve, surprise
from engine.pipeline.reading.files import UNPRINTABLE

Style = Literal["plain", "single", "double"]

_INDICATORS = frozenset("-?:,[]{}#&*!|>'\"%@`")
_UNSAFE = re.compile(r": |:$| #|[\n\r\t\x85\u2028\u2029]")
_UNSAFE_IN_FLOW = re.compile(r"[,?\[\]{}]|:$")
_SPECIAL = re.compile("[\x7f\x85\u2028\u2029\ufeff\ufffe\uffff]")


def scalar(value: object, *, style: Style = "plain", flow: bool = False) -> str:
    """`value` as a scalar, in `style` where it can stand so; `flow` inside brackets or braces."""
    if not isinstance(value, str):
        return json.dumps(value)
    if style == "single" and _one_line(value):
        return "'" + value.replace("'", "''") + "'"
    if style == "plain" and _is_plain(value, flow=flow):
        return value
    return _SPECIAL.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(value, ensure_ascii=False))


def flow(value: object) -> str:
    """Any plain value on one line, lists and mappings in brackets and braces."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key), flow=True)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value, flow=True)


def entry(key: str, value: object) -> str:
    """A key with its value on the same line."""
    return f"{key}: {flow(value) if isinstance(value, Mapping | list) else scalar(value)}"


def block(fields: Mapping[str, Any], indent: int) -> str:
    """A list's item: one line a field; `indent` is where the dash stands."""
    between = "\n" + " " * (indent + 2)
    return " " * indent + "- " + between.join(entry(key, value) for key, value in fields.items()) + "\n"


def _one_line(text: str) -> bool:
    return not re.search(r"[\n\r\t\x85\u2028\u2029]", text) and not UNPRINTABLE.search(text)


def _is_plain(text: str, *, flow: bool) -> bool:
    if not text or text != text.strip() or text[0] in _INDICATORS or not _one_line(text):
        return False
    if _UNSAFE.search(text) or (flow and _UNSAFE_IN_FLOW.search(text)) or text.startswith(("---", "...", "<<")):
        return False
    return resolve(text) == text and surprise(text) is None


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
