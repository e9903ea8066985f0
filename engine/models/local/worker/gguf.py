"""Reads the head of a GGUF file: what it takes to lay out a prompt for the model, for any engine and without one.

The format is described in https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Everything is little-endian; a
string is its length as a 64-bit number and its bytes.
"""

from __future__ import annotations

import mmap
import re
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_MAGIC: Final = b"GGUF"
_SCALARS: Final = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_LENGTH: Final = struct.Struct("<Q")
_STRING: Final = 8
_ARRAY: Final = 9
_TOKEN_UNKNOWN: Final = 2
_TOKEN_CONTROL: Final = 3
_MAX_STRING: Final = 16 * 2**20
_NAMED: Final = re.compile(r"tokenizer\.ggml\.\w+_token_id")
_BRACKET: Final = re.compile(r"[<>\[\]|｜]")


class DamagedFile(ValueError):
    """The file does not hold what its own head promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """`control_tokens` are the texts that the model's tokenizer takes for commands; `context` is what it was
    trained on.
    """

    architecture: str
    name: str
    context: int | None
    chat_template: str | None
    bos: str
    eos: str
    adds_bos: bool
    control_tokens: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Strings:
    """An array of strings, left in the file until it is asked for."""

    start: int
    length: int


def read_metadata(path: Path) -> Metadata:
    """Raises `DamagedFile`, and `OSError` where the file cannot be read at all."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _metadata(_Reader(data))
        except (struct.error, UnicodeDecodeError, OverflowError, MemoryError) as error:
            raise DamagedFile("the metadata of the file is damaged") from error


def _metadata(reader: _Reader) -> Metadata:
    values = dict(reader.pairs())
    architecture = _text(values, "general.architecture")
    tokens = values.get("tokenizer.ggml.tokens")
    kinds = values.get("tokenizer.ggml.token_type")
    wanted = {
        index
        for index, kind in enumerate(kinds if isinstance(kinds, array) else ())
        if kind in {_TOKEN_UNKNOWN, _TOKEN_CONTROL}
    }
    bos, eos = values.get("tokenizer.ggml.bos_token_id"), values.get("tokenizer.ggml.eos_token_id")
    named = {value for key, value in values.items() if _NAMED.fullmatch(key) and isinstance(value, int)}
    texts = reader.strings(tokens, wanted | named) if isinstance(tokens, _Strings) else {}
    # A file may name an ordinary word, such as `!`, for what it has no token for.
    wanted |= {index for index in named if _BRACKET.search(texts.get(index, ""))}
    context = values.get(f"{architecture}.context_length")
    template = values.get("tokenizer.chat_template")
    return Metadata(
        architecture=architecture,
        name=_text(values, "general.name"),
        context=context if isinstance(context, int) else None,
        chat_template=template if isinstance(template, str) and template.strip() else None,
        bos=texts.get(bos, "") if isinstance(bos, int) else "",
        eos=texts.get(eos, "") if isinstance(eos, int) else "",
        adds_bos=bool(values.get("tokenizer.ggml.add_bos_token", _text(values, "tokenizer.ggml.model") == "llama")),
        control_tokens=frozenset(texts[index] for index in wanted if texts.get(index)),
    )


def _text(values: dict[str, Any], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def pairs(self) -> Iterator[tuple[str, Any]]:
        if self._data[: len(_MAGIC)] != _MAGIC:
            raise DamagedFile("the file is not in GGUF format")
        self._at = len(_MAGIC)
        if self._scalar("<I") not in {2, 3}:
            raise DamagedFile("the file is of a GGUF version that is not supported")
        self._scalar("<Q")
        for _ in range(self._scalar("<Q")):
            yield self._string(), self._value(self._scalar("<I"))

    def strings(self, where: _Strings, wanted: set[int]) -> dict[int, str]:
        """The texts at the wanted positions; the others are only stepped over."""
        found: dict[int, str] = {}
        self._at, done = where.start, 0
        for index in sorted(index for index in wanted if 0 <= index < where.length):
            self._skip_strings(index - done)
            found[index] = self._string()
            done = index + 1
        return found

    def _scalar(self, layout: str) -> Any:
        (value,) = struct.unpack_from(layout, self._data, self._at)
        self._at += struct.calcsize(layout)
        return value

    def _string(self) -> str:
        length = self._scalar("<Q")
        if length > _MAX_STRING:
            raise DamagedFile("the metadata of the file is damaged")
        self._at += length
        return self._data[self._at - length : self._at].decode("utf-8")

    def _skip_strings(self, count: int) -> None:
        unpack, data, at = _LENGTH.unpack_from, self._data, self._at
        for _ in range(count):
            at += _LENGTH.size + unpack(data, at)[0]
        self._at = at

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array()
        if kind not in _SCALARS:
            raise DamagedFile("the metadata of the file is damaged")
        return self._scalar(_SCALARS[kind])

    def _array(self) -> _Strings | array[int] | None:
        kind, length, start = self._scalar("<I"), self._scalar("<Q"), self._at
        if kind == _STRING:
            self._skip_strings(length)
            return _Strings(start, length)
        if kind not in _SCALARS:
            raise DamagedFile("the metadata of the file is damaged")
        size = struct.calcsize(_SCALARS[kind]) * length
        self._at += size
        if self._at > len(self._data):
            raise DamagedFile("the file is cut short")
        if _SCALARS[kind] != "<i":
            return None
        numbers = array("i")
        numbers.frombytes(self._data[start : start + size])
        return numbers
