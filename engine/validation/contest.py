"""Who gets a sentence: the replies that reach it in the order of their claim, and when each of them is the one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.ports import Candidate
from engine.expressions.evaluate import holds
from engine.pipeline.spec import ReplySpec
from engine.text.cleaning import clean
from engine.validation.subject import Subject
from engine.validation.worlds import always_beaten, wins, worlds


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """A sentence with its candidates, best first."""

    subject: Subject
    text: str
    candidates: Sequence[Candidate]

    def place_of(self, reply: int) -> int | None:
        """Where `reply` stands among the candidates, from 0."""
        return next((place for place, found in enumerate(self.candidates) if found.reply == reply), None)

    def winner_instead_of(self, reply: int) -> tuple[Candidate, bool] | None:
        """Who wins wherever `reply` could be said, and whether that is certain.

        `None` where `reply` wins at least once, or nobody can tell.
        """
        place = self.place_of(reply)
        if place is None:
            return None
        before = [self.subject.when(found.reply) for found in self.candidates[:place]]
        beaten = always_beaten(before, self.subject.when(reply), self.text)
        return None if beaten is None else (self.candidates[beaten.by], beaten.exact)

    def is_idle(self, reply: int) -> bool:
        """Whether the condition of `reply` certainly never holds, which is a mistake of its own."""
        situations = worlds([self.subject.when(reply)], self.text)
        return (
            situations is not None
            and situations.exact
            and not any(holds(self.subject.when(reply), names) for names in situations.each)
        )

    def wins(self, reply: int) -> bool:
        """Whether there is a situation in which `reply` is said; where nobody can tell, it is given the benefit."""
        place = self.place_of(reply)
        if place is None:
            return False
        before = [self.subject.when(found.reply) for found in self.candidates[:place]]
        return wins(before, self.subject.when(reply), self.text)

    def spec(self, candidate: Candidate) -> ReplySpec:
        return self.subject.spec.replies[candidate.reply]


def contest(subject: Subject, text: str, about: int) -> Contest:
    """The contest for `text` as far down as the reply at `about`."""
    text = clean(text)
    candidates: list[Candidate] = []
    # The index looks for a worse candidate only when it is asked for one.
    for candidate in subject.index.candidates(text, subject.threshold):
        candidates.append(candidate)
        if candidate.reply == about:
            break
    return Contest(subject=subject, text=text, candidates=candidates)
