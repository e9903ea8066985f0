"""Finds every text of a column whose rapidfuzz ratio with a query reaches a cutoff, without comparing it to them all.

The ratio of texts of a and b characters is 2·L / (a + b), where L is the length of their longest common subsequence.
So a ratio of c or more needs b between c/(2-c)·a and (2-c)/c·a, and at least c·(a+b)/2 characters in common, counted
with their repetitions. Rows lie in order of their length; for each character (its second occurrence counts as another
one) a bitmap tells which rows hold it, so that counting what rows have in common with a query is the addition of a few
long numbers, 32,768 rows at a time. Characters that few rows hold share a bitmap: that can only count too many. What
passes is compared by rapidfuzz itself, hence the answer is that of comparing them all.

Only texts are known here; what they stand for is the caller's business.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil, floor

from rapidfuzz import fuzz, process

from engine.core.table import Table, make_table, picked

SEGMENT = 32_768
"""Rows that are counted at once: their bitmaps fit a processor's nearest cache."""
SHARE = 0.04
"""A character that this share of the rows holds has a bitmap of its own; shared ones are filled to about as much."""
MOST_OWN = 96
MOST_SHARED = 192

MOST_NEEDS = 64
"""Lengths of queries for which is kept what they ask of the rows."""

Needs = Sequence[tuple[int, Sequence[tuple[int, int]]]]
"""For each segment that matters: how many characters in common are needed, and the rows that need so many."""

_ROUNDING = 1e-7
"""Bounds are loosened by this much, so that no rounding makes them too tight."""


class Column:
    """Texts with the bitmaps that tell which of them are worth a comparison."""

    def __init__(self, texts: Sequence[str], bitmaps: memoryview, twin: Column | None = None) -> None:
        """A `twin` stands in for the rows whose texts have the same characters there, and which `bitmaps` leave out."""
        self._texts = texts
        self._bitmaps = _Bitmaps(Table(bitmaps))
        self._twin = twin

    def matches(self, query: str, cutoff: float) -> list[tuple[int, str, float]]:
        """Each row whose ratio (0-100) with `query` is `cutoff` or more, its text and ratio, in no certain order.

        Nothing is close to an empty text.
        """
        rows = self.rows(query, cutoff / 100)
        texts = picked(self._texts, rows)
        return [(rows[place], text, ratio) for place, text, ratio in alike(query, texts, cutoff)]

    def rows(self, query: str, share: float) -> Sequence[int]:
        """The rows that are compared for a ratio of `share`, from 0 to 1."""
        own = self._bitmaps.rows(query, share)
        return own if self._twin is None else [*{*own, *self._twin.rows(query, share)}]


def alike(query: str, texts: Sequence[str], cutoff: float) -> list[tuple[int, str, float]]:
    """The texts whose ratio (0-100) with `query` is `cutoff` or more, with their places and ratios."""
    found = process.extract(query, texts, scorer=fuzz.ratio, score_cutoff=cutoff, limit=None)
    return [(place, text, ratio) for text, ratio, place in found]


class _Bitmaps:
    """For each segment of rows, in order of their length: the rows' places in the column, and its bitmaps."""

    def __init__(self, table: Table) -> None:
        self._table = table
        header = json.loads(str(table[0], "ascii"))
        self._own: dict[str, int] = {token: place for place, token in enumerate(header["own"])}
        self._shared: int = header["shared"]
        self._segment: int = header["segment"]
        self._lengths: list[int] = header["lengths"]
        self._starts: list[int] = header["starts"]
        self._width = 1 + len(self._own) + self._shared
        self._numbers: dict[int, int] = {}
        self._orders: dict[int, memoryview] = {}
        self._needs: dict[tuple[int, float], Needs] = {}
        self._last: tuple[str, float, Sequence[int]] = ("", -1.0, ())

    def rows(self, query: str, share: float) -> Sequence[int]:
        """The rows that may reach `share`, from 0 to 1; some that do not are among them.

        Only which characters a query has matters: that the same ones come again in another order is usual.
        """
        characters = "".join(sorted(query))
        known, known_share, rows = self._last
        if known != characters or known_share != share:
            rows = self._passing(query, share)
            self._last = (characters, share, rows)
        return rows

    def _passing(self, query: str, share: float) -> list[int]:
        key = (len(query), share)
        if key not in self._needs:
            if len(self._needs) >= MOST_NEEDS:
                self._needs.clear()
            self._needs[key] = self._needs_of(*key)
        own, others = self._own, len(self._own)
        places = [own[token] if token in own else others + _hash(token) % self._shared for token in _tokens(query)]
        found: list[int] = []
        for segment, needs in self._needs[key]:
            planes = _add([self._number(segment, place) for place in places])
            passing = 0
            for need, mask in needs:
                passing |= _at_least(planes, need, mask)
            if passing:
                if segment not in self._orders:
                    self._orders[segment] = self._table[1 + segment * self._width].cast("I")
                order = self._orders[segment]
                found += [order[place] for place in _ones(passing)]
        return found

    def _needs_of(self, length: int, share: float) -> Needs:
        """Lists what a query of `length` characters asks of each segment that may hold rows close enough to it."""
        groups = self._groups(length, share) if self._lengths else []
        if not groups:
            return ()
        segments = range(groups[0][0] // self._segment, (groups[-1][1] - 1) // self._segment + 1)
        return [(number, _masks(groups, number * self._segment, self._segment)) for number in segments]

    def _groups(self, length: int, share: float) -> list[tuple[int, int, int]]:
        """Start, end and needed characters in common of each run of rows of one length that may pass."""
        least = ceil(share / (2 - share) * length - _ROUNDING)
        most = floor((2 - share) / share * length + _ROUNDING) if share else self._lengths[-1]
        places = range(bisect_left(self._lengths, least), bisect_right(self._lengths, most))
        half, starts = share / 2, self._starts
        return [(starts[at], starts[at + 1], ceil(half * (length + self._lengths[at]) - _ROUNDING)) for at in places]

    def _number(self, segment: int, place: int) -> int:
        key = segment * self._width + place
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = int.from_bytes(self._table[2 + key], "little")
        return number


def _tokens(text: str) -> list[str]:
    """Each character, from its second occurrence on with how many times it has occurred by then."""
    tokens = list(text)
    if len(set(tokens)) < len(tokens):
        seen: dict[str, int] = {}
        for place, char in enumerate(text):
            seen[char] = times = seen.get(char, 0) + 1
            if times > 1:
                tokens[place] = f"{char}{times}"
    return tokens


def _hash(token: str) -> int:
    """Spreads tokens over shared bitmaps, the same way in every process."""
    return ord(token[0]) * 7919 + (int(token[1:]) * 104_729 if token[1:] else 0)


def _masks(groups: Iterable[tuple[int, int, int]], first: int, count: int) -> Sequence[tuple[int, int]]:
    """For each needed number, those of the `count` rows beginning at `first` that need it."""
    masks: dict[int, int] = {}
    for begin, end, need in groups:
        start, stop = max(begin - first, 0), min(end - first, count)
        if start < stop:
            masks[need] = masks.get(need, 0) | ((1 << stop - start) - 1 << start)
    return list(masks.items())


def _add(bitmaps: list[int]) -> list[int]:
    """Counts for each row the `bitmaps` that hold it, as binary numbers: the planes of ones, twos, fours and so on.

    Carry-save addition: three bitmaps of one weight become one of that weight and one of the next.
    """
    planes: list[int] = []
    while bitmaps:
        carried: list[int] = []
        while len(bitmaps) > 2:
            one, two, three = bitmaps.pop(), bitmaps.pop(), bitmaps.pop()
            either = one ^ two
            bitmaps.append(either ^ three)
            carried.append(one & two | either & three)
        if len(bitmaps) == 2:
            one, two = bitmaps
            bitmaps = [one ^ two]
            carried.append(one & two)
        planes.append(bitmaps[0])
        bitmaps = carried
    return planes


def _at_least(planes: Sequence[int], need: int, mask: int) -> int:
    """The rows of `mask` whose number in `planes` is `need` or more."""
    if need <= 0 or need >> len(planes):
        return 0 if need > 0 else mask
    # From the lowest one of `need` upwards: equal so far counts as at least.
    lowest = (need & -need).bit_length() - 1
    passing = planes[lowest]
    for weight in range(lowest + 1, len(planes)):
        passing = passing & planes[weight] if need >> weight & 1 else passing | planes[weight]
    return passing & mask


def _ones(number: int) -> list[int]:
    """The places of the bits that are set, in no certain order."""
    found: list[int] = []
    if number.bit_count() <= 64:
        while number:
            highest = number.bit_length() - 1
            found.append(highest)
            number ^= 1 << highest
        return found
    digits = bin(number)[:1:-1]
    at = digits.find("1")
    while at >= 0:
        found.append(at)
        at = digits.find("1", at + 1)
    return found


def make_bitmaps(texts: Sequence[str], *, segment: int = SEGMENT) -> bytes:
    """The bitmaps that `Column` opens beside the same `texts`; empty ones are left out."""
    order = sorted((row for row, text in enumerate(texts) if text), key=lambda row: len(texts[row]))
    lengths = sorted({len(texts[row]) for row in order})
    sizes = [len(texts[row]) for row in order]
    holders = _holders(texts[row] for row in order)
    counts = Counter({token: len(rows) for token, rows in holders.items()})
    common = [token for token, rows in counts.most_common(MOST_OWN) if rows >= SHARE * len(order)]
    rest = counts.total() - sum(counts[token] for token in common)
    shared = min(max(ceil(rest / max(SHARE * len(order), 1)), 1), MOST_SHARED)
    header = {
        "own": common,
        "shared": shared,
        "segment": segment,
        "lengths": lengths,
        "starts": [*(bisect_left(sizes, length) for length in lengths), len(order)],
    }
    places = {token: place for place, token in enumerate(common)}
    places |= {token: len(common) + _hash(token) % shared for token in holders if token not in places}
    count, width = len(order), len(common) + shared
    sizes = [-(-min(segment, count - first) // 8) for first in range(0, count, segment)]
    segments = [[bytearray(size) for _ in range(width)] for size in sizes]
    for token, rows in holders.items():
        place = places[token]
        for at in rows:
            number, bit = divmod(at, segment)
            segments[number][place][bit >> 3] |= 1 << (bit & 7)
    pieces = [json.dumps(header).encode()]
    for number, bitmaps in enumerate(segments):
        rows = order[number * segment : (number + 1) * segment]
        pieces += [array("I", rows).tobytes(), *map(bytes, bitmaps)]
    return make_table(pieces)


def _holders(texts: Iterable[str]) -> dict[str, list[int]]:
    """Each token with the places of the texts that hold it."""
    holders: dict[str, list[int]] = {}
    for at, text in enumerate(texts):
        for token in _tokens(text):
            holders.setdefault(token, []).append(at)
    return holders
