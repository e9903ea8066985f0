"""A text taken apart, as plain data that a compiled pipeline can store; `engine.matching.forms` takes texts apart."""

from __future__ import annotations

from engine.model.record import record

ContentWord = tuple[str, str, str, bool]
"""The dictionary's form, as written, the reading, and whether the dictionary knows it."""


@record
class Form:
    """The first four are compared by letters, the rest by words.

    `text` is the normal form, `core` the content words in order, `bag` in alphabetical order with a space between,
    `sound` the whole text as it is heard. `words` are the content words as `ContentWord`; `spare` the words that
    change nothing, as (form, kind); `numbers` with their counters; `marks` what auxiliaries mean (want, past, asks, …);
    `signs` a letter each for quoted, reported and ironic words; `effort` how hard the dictionary finds the text.
    """

    text: str
    core: str
    bag: str
    sound: str
    words: tuple[ContentWord, ...]
    spare: tuple[tuple[str, str], ...]
    numbers: tuple[str, ...]
    questions: tuple[str, ...]
    times: tuple[str, ...]
    marks: tuple[str, ...]
    signs: str
    negative: bool
    short: bool
    effort: int
