"""The settings that a row of an external model may hold, typed.

Rows come from YAML and from the environment; what is wrong with a value is said with the key's name.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.backends.address import is_address
from engine.backends.credentials import SettingError
from engine.model.plan import ModelRow
from engine.model.record import record


@record
class Settings:
    """`examples` bounds the example exchanges sent; `None` leaves the choice to the provider."""

    model: str
    base_url: str | None = None
    region: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    examples: int = 0
    stop: tuple[str, ...] = ()
    logprobs: bool = False


def settings_of(row: ModelRow) -> Settings:
    """Raises `SettingError` for a value of the wrong kind, for no model, and for what the loader found wrong."""
    if row.misconfigured is not None:
        raise SettingError(row.misconfigured)
    values = row.settings
    model = _text(values, "model")
    if model is None:
        raise SettingError(f"model {row.id} names no model: set its `model`")
    return Settings(
        model=model,
        base_url=_address(values, "base_url"),
        region=_text(values, "region"),
        max_tokens=_whole(values, "max_tokens"),
        temperature=_number(values, "temperature"),
        top_p=_number(values, "top_p"),
        examples=_whole(values, "examples") or 0,
        stop=_texts(values, "stop"),
        logprobs=_flag(values, "logprobs"),
    )


def _text(values: Mapping[str, object], key: str) -> str | None:
    value = values.get(key)
    if value is None or isinstance(value, str):
        return (value or "").strip() or None
    raise SettingError(f"`{key}` must be a text")


def _address(values: Mapping[str, object], key: str) -> str | None:
    text = _text(values, key)
    if text is None or is_address(text):
        return text
    raise SettingError(f"`{key}` must be an http or https address")


def _whole(values: Mapping[str, object], key: str) -> int | None:
    value = values.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise SettingError(f"`{key}` must be a whole number, not below zero")


def _number(values: Mapping[str, object], key: str) -> float | None:
    value = values.get(key)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value >= 0):
        return value
    raise SettingError(f"`{key}` must be a number, not below zero")


def _texts(values: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = values.get(key)
    if value is None:
        return ()
    if isinstance(value, tuple) and all(isinstance(text, str) for text in value):
        return value
    raise SettingError(f"`{key}` must be a list of texts")


def _flag(values: Mapping[str, object], key: str) -> bool:
    value = values.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise SettingError(f"`{key}` must be true or false")
