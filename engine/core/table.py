"""Stores many small pieces of bytes in one buffer; each is read and verified when it is asked for.

A table is made once and mapped into memory: opening it reads nothing but its size. It knows nothing of files, nor of
what the pieces mean. Little-endian machines only.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from struct import pack, unpack_from
from typing import TypeVar, overload
from zlib import crc32

from engine.core.errors import EngineError

T = TypeVar("T")

_CHECK = 4
_PLACE = 4
_HEAD = 8
"""Bytes of a checksum, of a piece's place, and of the count with its checksum."""

_BUCKET = 4
"""Texts for each bucket, on average."""


class Damaged(EngineError):
    """Stored data is not what was written."""


def make_table(pieces: Iterable[bytes]) -> bytes:
    """The count, the places where pieces end, and the pieces; the count and each piece with a checksum after it."""
    body = bytearray()
    ends = bytearray()
    for piece in pieces:
        body += piece
        body += pack("<I", crc32(piece))
        ends += pack("<I", len(body))
    count = pack("<I", len(ends) // _PLACE)
    return count + pack("<I", crc32(count)) + bytes(ends) + bytes(body)


class Table:
    """The pieces of a buffer that `make_table` made."""

    __slots__ = ("_body", "_buffer", "_count")

    def __init__(self, buffer: memoryview) -> None:
        """Raises `Damaged` for a buffer that cannot hold what it says."""
        if len(buffer) < _HEAD or crc32(buffer[:_PLACE]) != _number(buffer, _PLACE):
            raise Damaged("the head of a table is not what was written")
        self._buffer = buffer
        self._count = _number(buffer, 0)
        self._body = _HEAD + _PLACE * self._count
        if len(buffer) < self._body:
            raise Damaged("a table is cut short")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: int) -> memoryview:
        """Piece `place`, from 0; raises `Damaged` where its checksum does not fit."""
        if not 0 <= place < self._count:
            raise IndexError(place)
        end = _number(self._buffer, _HEAD + _PLACE * place)
        start = _number(self._buffer, _HEAD + _PLACE * (place - 1)) if place else 0
        last = self._body + end - _CHECK
        piece = self._buffer[self._body + start : last]
        if end - start < _CHECK or last + _CHECK > len(self._buffer) or crc32(piece) != _number(self._buffer, last):
            raise Damaged(f"piece {place} of a table is not what was written")
        return piece


def _number(buffer: memoryview, place: int) -> int:
    number: int = unpack_from("<I", buffer, place)[0]
    return number


class Decoded(Sequence[T]):
    """The pieces of a table as values, each decoded when it is asked for; up to `most_kept` of them are kept."""

    def __init__(self, table: Table, decode: Callable[[memoryview], T], *, most_kept: int) -> None:
        self._table = table
        self._decode = decode
        self._most_kept = most_kept
        self._kept: dict[int, T] = {}

    def __len__(self) -> int:
        return len(self._table)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        """Raises `Damaged` where what is stored is not what was written."""
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        if place in self._kept:
            return self._kept[place]
        return self._decoded(place)

    def picked(self, places: Sequence[int]) -> list[T]:
        """The values at several places."""
        kept = self._kept
        return [kept[place] if place in kept else self._decoded(place) for place in places]

    def _decoded(self, place: int) -> T:
        value = self._decode(self._table[place if place >= 0 else place + len(self)])
        if len(self._kept) >= self._most_kept:
            self._kept.clear()
        self._kept[place] = value
        return value


def make_buckets(rows: Iterable[tuple[int, str]]) -> bytes:
    """A table of the rows of texts by a hash of the text, so that an equal text is found by looking at a few."""
    numbered = list(rows)
    buckets = [array("I") for _ in range(-(-len(numbered) // _BUCKET))]
    for row, text in numbered:
        buckets[_hash(text) % len(buckets)].append(row)
    return make_table(bucket.tobytes() for bucket in buckets)


def bucket_of(text: str, buckets: Table) -> Sequence[int]:
    """The rows, in the order given, that may have `text`; those of other texts with a like hash are among them."""
    return buckets[_hash(text) % len(buckets)].cast("I") if len(buckets) else ()


def _hash(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"))


def picked(values: Sequence[T], places: Sequence[int]) -> list[T]:
    """The values at several places, at once where they are `Decoded`."""
    return values.picked(places) if isinstance(values, Decoded) else [values[place] for place in places]
