"""The exact filter beside rapidfuzz comparing every text: the same scores, and what they cost, by size."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from itertools import cycle

from rapidfuzz import fuzz, process

from benchmarks import agreement
from benchmarks.corpus import misheard, sentences
from benchmarks.machine import CACHE, ROOT
from benchmarks.measure import Row, Samples, Take, alternate, timed
from engine.matching.close import columns, scores
from engine.matching.forms import form
from engine.matching.search import ListSearch, StoredSearch, store_search
from engine.matching.trigger import Form, Trigger
from engine.pipeline.stored.container import open_container, write_container

SIZES = (300, 1_000, 10_000, 100_000)
LARGEST = 1_000_000
AT_LEAST = {1_000: 2.5, 10_000: 12.0, 100_000: 25.0}
"""Times as fast as comparing all, by size."""
THRESHOLD = 80.0
MICROSECONDS = (1e6, "µs")

Columns = Mapping[str, Sequence[str]]


def rows(rounds: int, *, full: bool = False) -> Iterator[Row]:
    """Microseconds for each query that is no trigger word for word, of all sizes; `full` goes to a million triggers."""
    for size in (*SIZES, LARGEST) if full else SIZES:
        yield from _of_size(size, rounds)
    yield from agreement.rows()


def _of_size(size: int, rounds: int) -> Iterator[Row]:
    texts = sentences(size)
    found = _columns(texts)
    file = CACHE / f"columns-{size}.plan"
    write_container(str(file), {}, store_search(found))
    stored, brute = StoredSearch(open_container(str(file)).sections), ListSearch(found)
    queries = [form(misheard(text)) for text in random.Random(size).sample(texts, 100)]
    # Brute force over the largest sizes takes a good part of a second.
    queries = queries[: max(5, min(100, 3_000_000 // size))]
    _must_agree(stored, brute, queries)
    sides: dict[str, Take] = {
        "ours": _each(lambda query: scores(stored, query, THRESHOLD), queries),
        "brute": _each(lambda query: scores(brute, query, THRESHOLD), queries),
        "plain": _each(lambda query: _plain(query.text, found["text"]), queries),
    }
    times = alternate(sides, len(queries) * max(1, rounds // 10))
    what = f"scores of all forms, {size:,} triggers"
    yield Row(
        id=f"index.{size}",
        what=what,
        ours=times["ours"],
        peer="rapidfuzz comparing all of them",
        theirs=times["brute"],
        at_least=AT_LEAST.get(size),
        at_most=3_000 if size == LARGEST else 1_000,
        unit=MICROSECONDS,
    )
    yield Row(
        id=f"index.plain-{size}",
        what=what,
        ours=times["ours"],
        peer="rapidfuzz extractOne, normal forms alone",
        theirs=times["plain"],
        unit=MICROSECONDS,
    )
    if size == SIZES[-1]:
        yield from _held(str(file), found)


def _held(file: str, found: Columns) -> Iterator[Row]:
    def open_all() -> None:
        search = StoredSearch(open_container(file).sections)
        for column in found:
            search.column(column)

    opened = alternate({"open": timed(open_all)}, 50)["open"]
    yield Row(id="index.open", what=f"opening, {SIZES[-1]:,} triggers", ours=opened, at_most=1)
    stored = sum(len(data) for data in open_container(file).sections.values())
    texts = sum(len(text.encode()) for column in found.values() for text in column)
    share = Samples((stored / texts,))
    what = "bytes of the index for each byte of text that is compared"
    yield Row(id="index.memory", what=what, ours=share, at_most=3, unit=(1, ""))


def _columns(texts: Sequence[str]) -> Columns:
    """What is compared of each text; kept while matching is the same, since taking 100,000 apart takes a while."""
    file = CACHE / f"columns-{len(texts)}-{_matching()}.json"
    if not file.exists():
        triggers = [Trigger(kind="fuzzy", text=text, reply=0) for text in texts]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(columns(triggers, [form(text) for text in texts])), encoding="utf-8")
    found: Columns = json.loads(file.read_text(encoding="utf-8"))
    return found


@cache
def _matching() -> str:
    """A digest of the code that takes texts apart."""
    digest = blake2b(digest_size=6)
    for file in sorted((ROOT / "engine" / "matching").glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _must_agree(one: StoredSearch, other: ListSearch, queries: Sequence[Form]) -> None:
    wrong = [query.text for query in queries if scores(one, query, THRESHOLD) != scores(other, query, THRESHOLD)]
    if wrong:
        raise AssertionError(f"other scores than by comparing all, for {wrong}")


def _each(work: Callable[[Form], object], queries: Sequence[Form]) -> Take:
    """The next query each time."""
    turns = cycle(queries)
    return timed(lambda: work(next(turns)))


def _plain(text: str, texts: Sequence[str]) -> object:
    return process.extractOne(text, texts, scorer=fuzz.ratio, score_cutoff=THRESHOLD)
