"""A text taken apart, as plain data that a compiled pipeline can store; `engine.matching.forms` takes texts apart."""

from __future__ import annotations

from engine.model.record import record


@record
class Form:
    """The first six are scored: `text` is the normal form; `core` what it says without politeness, particles and
    fillers; `turned` the core with its clauses in reverse, empty with one clause; `bag` the core's chunks in
    alphabetical order; `sound` the whole text as it is heard; `borrowed` the core with only two consonants of each
    foreign word, empty without any. The rest is what the guards compare.
    """

    text: str
    core: str
    turned: str
    bag: str
    sound: str
    borrowed: str
    kanji: str
    spelled: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    numbers: tuple[str, ...]
    questions: tuple[str, ...]
    times: tuple[str, ...]
    persons: tuple[str, ...]
    signs: str
    negative: bool
