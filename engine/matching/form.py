"""A text taken apart, as plain data that a compiled pipeline can store; `engine.matching.forms` takes texts apart."""

from __future__ import annotations

from engine.core.record import record

_TELLING = frozenset({"states", "past", "on", "tells"})
_TELLING_IN_ENGLISH = frozenset({"tells"})
"""A past participle tells nothing: lost and found."""
_INQUIRING = frozenset({"asks", "request", "want", "bids"})
"""Marks of a sentence that wants an answer, whether a question mark stands behind it or not."""

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

    @property
    def tells(self) -> bool:
        """Whether it tells a state or what happened, and wants no answer: 空いてます, but not 飲みたい."""
        return (
            not self.questions
            and not (_TELLING_IN_ENGLISH if self.text.isascii() else _TELLING).isdisjoint(self.marks)
            and _INQUIRING.isdisjoint(self.marks)
        )
