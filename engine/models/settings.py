"""The table of model settings: what each may hold, and which backends read it.

The numbers of the pipeline schema are held against it by a test; values from the environment and rows that are opened
are checked with it. Imported at a cold start, so it knows no SDK and no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from engine.core.plan import ModelRow
from engine.core.record import record


class SettingError(Exception):
    """Says which variable or setting is wrong, and what to put there."""


class Kind(Protocol):
    """What a setting may hold; as text it completes the sentence "it must be …"."""

    def fits(self, value: Any) -> bool: ...


@record(kw_only=False)
class Number:
    """From `low` to `high`, whole where so said; an `optional` one may be `none`, which leaves it to the model."""

    low: float
    high: float
    whole: bool = False
    optional: bool = False

    def fits(self, value: Any) -> bool:
        kinds = int if self.whole else (int, float)
        return isinstance(value, kinds) and not isinstance(value, bool) and self.low <= value <= self.high

    def __str__(self) -> str:
        numbers = "a whole number" if self.whole else "a number"
        return f"{numbers} from {self.low:.10g} to {self.high:.10g}{', or `none`' if self.optional else ''}"


@record(kw_only=False)
class Choice:
    words: tuple[str, ...]

    def fits(self, value: Any) -> bool:
        return value in self.words

    def __str__(self) -> str:
        return f"{', '.join(self.words[:-1])} or {self.words[-1]}"


@record
class Flag:
    def fits(self, value: Any) -> bool:
        return isinstance(value, bool)

    def __str__(self) -> str:
        return "true or false"


@record
class Text:
    def fits(self, value: Any) -> bool:
        return isinstance(value, str)

    def __str__(self) -> str:
        return "a text"


@record
class Texts:
    """A list of texts, or a single one."""

    def fits(self, value: Any) -> bool:
        entries = (value,) if isinstance(value, str) else value
        return isinstance(entries, tuple) and all(isinstance(entry, str) and entry for entry in entries)

    def __str__(self) -> str:
        return "a text or a list of texts"


_LLAMA = frozenset({"auto", "llama.cpp", "gpt4all"})
_CHAT = frozenset({"openai", "huggingface"})
_EXTERNAL = _CHAT | {"bedrock"}
_MODELS = _LLAMA | _EXTERNAL

SETTINGS: Mapping[str, tuple[Kind, frozenset[str]]] = {
    "path": (Text(), _LLAMA),
    "context": (Number(64, 1_048_576, whole=True), _LLAMA),
    "threads": (Number(1, 256, whole=True), _LLAMA),
    "top_k": (Number(1, 1_000_000, whole=True), _LLAMA),
    "min_p": (Number(0, 1), _LLAMA),
    "repeat_penalty": (Number(0.5, 3), _LLAMA),
    "seed": (Number(0, 4_294_967_295, whole=True), _LLAMA),
    "style": (Choice(("auto", "chat", "raw")), _LLAMA),
    "cache": (Text(), _LLAMA),
    "model": (Text(), _EXTERNAL),
    "base_url": (Text(), _EXTERNAL),
    "region": (Text(), frozenset({"bedrock"})),
    "logprobs": (Flag(), _CHAT),
    "max_tokens": (Number(1, 32_768, whole=True), _MODELS),
    "temperature": (Number(0, 2, optional=True), _MODELS),
    "top_p": (Number(0, 1), _MODELS),
    "stop": (Texts(), _MODELS),
    "examples": (Number(0, 500, whole=True), _MODELS),
    "thinking": (Flag(), _MODELS),
    "answers": (Texts(), frozenset({"scripted"})),
}


def given(row: ModelRow) -> dict[str, Any]:
    """The settings that `row` holds and its backend reads, without empty ones; lists as tuples.

    Raises `SettingError` for a value that does not fit, and for what the loader found wrong.
    """
    if row.misconfigured:
        raise SettingError(row.misconfigured)
    found: dict[str, Any] = {}
    for key, value in row.settings.items():
        kind, backends = SETTINGS[key]
        if value is None or row.backend not in backends:
            continue
        if not kind.fits(value):
            raise SettingError(f"model `{row.id}`: `{key}` is `{value}`; give {kind}")
        if isinstance(kind, Texts):
            found[key] = (value,) if isinstance(value, str) else value
        elif not isinstance(value, str) or value.strip():
            found[key] = value.strip() if isinstance(value, str) else value
    return found
