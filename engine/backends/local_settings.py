"""Reads a local model's settings and looks at its file from outside. Whatever is wrong is said with the place and
the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from engine.backends.threads import available_threads
from engine.backends.worker.settings import STYLES, LocalSettings
from engine.model.plan import ModelRow
from engine.model.record import record


class Misconfigured(ValueError):
    """The model cannot be opened; the message is for the operator."""


@record(kw_only=False)
class _Range:
    """Numbers from `low` to `high`; `whole` ones where so said."""

    low: float
    high: float
    whole: bool = False

    def holds(self, value: Any) -> bool:
        kinds = int if self.whole else (int, float)
        return isinstance(value, kinds) and not isinstance(value, bool) and self.low <= value <= self.high

    def __str__(self) -> str:
        if self.whole:
            return f"a whole number from {self.low:.0f} to {self.high:.0f}"
        return f"a number from {self.low:g} to {self.high:g}"


_GGUF: Final = b"GGUF"

NUMBERS: Final[Mapping[str, _Range]] = {
    "context": _Range(64, 1_048_576, whole=True),
    "max_tokens": _Range(1, 32768, whole=True),
    "threads": _Range(1, 256, whole=True),
    "temperature": _Range(0, 5),
    "top_p": _Range(0, 1),
    "top_k": _Range(0, 1000000, whole=True),
    "min_p": _Range(0, 1),
    "repeat_penalty": _Range(0.5, 3),
    "seed": _Range(0, 2**32 - 1, whole=True),
    "examples": _Range(0, 10000, whole=True),
}


def read_settings(row: ModelRow, env: Mapping[str, str]) -> LocalSettings:
    """Raises `Misconfigured`."""
    if row.misconfigured:
        raise Misconfigured(row.misconfigured)
    given = {key: value for key, value in row.settings.items() if value is not None}
    values: dict[str, Any] = {"threads": available_threads(env), "path": _path(row)}
    for key in NUMBERS.keys() & given.keys():
        values[key] = _number(row, key, given[key])
    if "style" in given:
        values["style"] = _style(row, given["style"])
    if "stop" in given:
        values["stop"] = _stop(row, given["stop"])
    if "cache" in given:
        values["cache"] = str(given["cache"])
    settings = LocalSettings(**values)
    if settings.max_tokens >= settings.context:
        raise Misconfigured(
            f"model `{row.id}`: `max_tokens` {settings.max_tokens} leaves no room in `context` {settings.context}"
        )
    return settings


def _path(row: ModelRow) -> str:
    value = row.settings.get("path")
    remedy = "set LOCAL_LLM_MODEL, or `path`, to a GGUF file"
    if not isinstance(value, str) or not value.strip():
        raise Misconfigured(f"model `{row.id}` has no path; {remedy}")
    path = Path(value)
    try:
        if not path.is_file():
            raise Misconfigured(f"model `{row.id}`: no file at `{value}`; {remedy}")
        if not _is_gguf(path):
            raise Misconfigured(f"model `{row.id}`: `{value}` is not a GGUF file; {remedy}")
    except (OSError, ValueError) as error:
        if isinstance(error, Misconfigured):
            raise
        raise Misconfigured(f"model `{row.id}`: `{value}` cannot be read; {remedy}") from error
    return str(path.resolve())


def _is_gguf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_GGUF)) == _GGUF


def _number(row: ModelRow, key: str, value: Any) -> float:
    if not NUMBERS[key].holds(value):
        raise Misconfigured(f"model `{row.id}`: `{key}` is `{value}`; give {NUMBERS[key]}")
    return int(value) if NUMBERS[key].whole else float(value)


def _style(row: ModelRow, value: Any) -> str:
    if value not in STYLES:
        raise Misconfigured(f"model `{row.id}`: `style` is `{value}`; give one of {', '.join(STYLES)}")
    return str(value)


def _stop(row: ModelRow, value: Any) -> tuple[str, ...]:
    entries = (value,) if isinstance(value, str) else value
    if not isinstance(entries, list | tuple) or not all(isinstance(entry, str) and entry for entry in entries):
        raise Misconfigured(f"model `{row.id}`: `stop` is `{value}`; give one text or a list of texts")
    return tuple(entries)
