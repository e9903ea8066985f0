"""Holds what matching compares, as plain data that a compiled pipeline stores: triggers, forms of texts, own words.

`engine.matching.forms` takes texts apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from engine.core.record import record

if TYPE_CHECKING:
    from engine.text.words import Word


class Lexicon:
    """`entries` are (forms, kind, name): a run of words by their forms, `address` or `same`, and what it counts as."""

    def __init__(self, entries: Iterable[tuple[tuple[str, ...], str, str]] = ()) -> None:
        self.entries = tuple(entries)
        self.same = {forms[0]: name for forms, kind, name in self.entries if kind == "same" and len(forms) == 1}
        self._by_first: dict[str, list[tuple[tuple[str, ...], str, str]]] = {}
        for entry in sorted(self.entries, key=lambda entry: -len(entry[0])):
            self._by_first.setdefault(entry[0][0], []).append(entry)

    def at(self, words: Sequence[Word], place: int) -> tuple[int, str, str] | None:
        """The entry that stands at this place, as its length, its kind and what it counts as."""
        for forms, kind, name in self._by_first.get(words[place].form, ()):
            if tuple(word.form for word in words[place : place + len(forms)]) == forms:
                return len(forms), kind, name
        return None


NOTHING = Lexicon()
"""No words of its own."""


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


@record
class Trigger:
    """`reply` is the reply's position in the pipeline, `text` what the editor wrote, with blanks between `words`."""

    kind: Literal["fuzzy", "contains", "regex", "words"]
    text: str
    reply: int
    priority: int = 0


@record
class Candidate:
    """A trigger that an utterance reached. `trigger` is its position, `refused` a guard's reason, only in `explain`."""

    trigger: int
    reply: int
    score: float
    exact: bool = False
    refused: str | None = None


def only_asks(text: str, trigger: Trigger, form: Form) -> bool:
    """Whether a text of the trigger's normal form asks what the trigger, whose `form` this is, only tells."""
    return _marked(text) and not _marked(trigger.text) and form.tells


def _marked(text: str) -> bool:
    return text.rstrip(" !\n\u3000\uff01").endswith(("?", "\uff1f"))


def rank(candidate: Candidate, triggers: Sequence[Trigger]) -> tuple[float, bool, int, int]:
    """Sorts the best first: by score, then what is said word for word, then priority, then file order."""
    return (-candidate.score, not candidate.exact, -triggers[candidate.trigger].priority, candidate.trigger)
