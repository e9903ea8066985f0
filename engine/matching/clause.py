"""Holds a clause as it is read, word by word, and the place of the word that is read. Plain data, no grammar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.matching import grammar
from engine.matching.trigger import ContentWord, Lexicon
from engine.text.words import LATIN, Word

PAUSES = frozenset({"補助記号", "記号"})
"""Parts of speech between which a clause stands."""


@dataclass(slots=True)
class Clause:
    """`words` are its content. `spare` words change nothing, as (form, kind); `standing_in` are those of them, by kind,
    that are the content where there is no other, `pointing` those that count where the content says little.
    """

    words: list[ContentWord] = field(default_factory=list)
    spare: list[tuple[str, str]] = field(default_factory=list)
    pointing: list[ContentWord] = field(default_factory=list)
    standing_in: list[tuple[str, ContentWord]] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    questions: set[str] = field(default_factory=set)
    times: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    written: str = ""
    reading: str = ""

    @property
    def weight(self) -> int:
        """Counts what it says: words, numbers, questions and times."""
        return len(self.words) + len(self.numbers) + len(self.questions) + len(self.times)

    @property
    def concedes(self) -> bool:
        """Whether it takes back what was said: いい天気だね、どしゃ降りだけど."""
        return "concedes" in self.marks

    @property
    def leads(self) -> bool:
        """Whether it says enough to be what the text comes to: この水割り濃いね、転職しようかな."""
        return self.informs and not self.concedes

    @property
    def informs(self) -> bool:
        """Whether it has words that say something by themselves, which どうすればいいですか has not."""
        return bool(self.numbers) or any(word[0] not in grammar.FUNCTIONAL for word in self.words)

    @property
    def opens(self) -> bool:
        """Whether it only greets, calls, thanks or fills."""
        if self.numbers or self.questions:
            return False
        return all(word[0] in grammar.OPENERS for word in self.words)


_NEVER_STAND_IN = frozenset({"address", "filler", "politeness", "request", "telling"})


class Here:
    """A word with its neighbours, and the clause that it is read into."""

    __slots__ = ("clause", "form", "lexicon", "place", "word", "words")

    def __init__(self, words: Sequence[Word], place: int, clause: Clause, lexicon: Lexicon) -> None:
        self.words = words
        self.place = place
        self.clause = clause
        self.lexicon = lexicon
        self.word = words[place]
        self.form = self.word.form

    @property
    def before(self) -> Word | None:
        return self.words[self.place - 1] if self.place else None

    @property
    def after(self) -> Word | None:
        return self.words[self.place + 1] if self.place + 1 < len(self.words) else None

    def form_at(self, distance: int) -> str:
        """The form of the word so many places on, or nothing."""
        place = self.place + distance
        return self.words[place].form if 0 <= place < len(self.words) else ""

    def ends(self, distance: int = 1) -> bool:
        """Whether the clause ends before the word so many places on."""
        place = self.place + distance
        return place >= len(self.words) or self.words[place].tags[0] in PAUSES

    def take(self, size: int = 1) -> None:
        """Notes how the next words are written and heard."""
        for word in self.words[self.place : self.place + size]:
            beside = word.tags[0] == LATIN and self.clause.written[-1:].isascii() and self.clause.written
            self.clause.written += f" {word.surface}" if beside else word.surface
            self.clause.reading += word.reading

    def content(self, form: str = "", *, written: str = "") -> None:
        """Takes the word as content, or more of the text under another form."""
        same = grammar.SAME.get(form or self.form, form or self.form)
        own = self.lexicon.same.get(same, same)
        self.clause.words.append((own, written or self.word.surface, self.word.reading, self.word.known))

    def spare(self, kind: str) -> None:
        """Sets the word apart."""
        form = grammar.SAME.get(self.form, self.form)
        self.clause.spare.append((form, kind))
        if kind not in _NEVER_STAND_IN:
            word = (form, self.word.surface, self.word.reading, self.word.known)
            self.clause.standing_in.append((kind, word))
            if kind in ("pointing", "intensity") or (kind == "talker" and self.word.tags[0] == LATIN):
                self.clause.pointing.append(word)
