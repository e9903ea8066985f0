"""Reads a local model's settings and looks at its file from outside. Whatever is wrong is said with the place and
the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engine.core.plan import ModelRow
from engine.models.local.threads import available_threads
from engine.models.local.worker.start import LocalSettings
from engine.models.registry import given
from engine.models.settings import SettingError

_GGUF: Final = b"GGUF"


def read_settings(row: ModelRow, env: Mapping[str, str]) -> LocalSettings:
    """Raises `SettingError`."""
    values = {"threads": available_threads(env), **given(row)}
    settings = LocalSettings(**{**values, "path": _path(row)})
    if settings.max_tokens >= settings.context:
        raise SettingError(
            f"model `{row.id}`: `max_tokens` {settings.max_tokens} leaves no room in `context` {settings.context}"
        )
    return settings


def _path(row: ModelRow) -> str:
    value = row.settings.get("path")
    remedy = "set LOCAL_LLM_MODEL, or `path`, to a GGUF file"
    if not isinstance(value, str) or not value.strip():
        raise SettingError(f"model `{row.id}` has no path; {remedy}")
    path = Path(value)
    try:
        is_file = path.is_file()
        is_gguf = is_file and _is_gguf(path)
    except (OSError, ValueError) as error:
        raise SettingError(f"model `{row.id}`: `{value}` cannot be read; {remedy}") from error
    if not is_file:
        raise SettingError(f"model `{row.id}`: no file at `{value}`; {remedy}")
    if not is_gguf:
        raise SettingError(f"model `{row.id}`: `{value}` is not a GGUF file; {remedy}")
    return str(path.resolve())


def _is_gguf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_GGUF)) == _GGUF
