"""Finds what an utterance reaches without saying it word for word: triggers close by letters, then compared by words.

Taking texts apart, the analyser and rapidfuzz are imported with this module, when the first such utterance comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from engine.core.language import joined
from engine.matching import grammar
from engine.matching.clause import PAUSES
from engine.matching.compare import PAIRS, REACH, comparable, compare
from engine.matching.forms import form, steady, takes, unread
from engine.matching.index import Parts
from engine.matching.readout import read_out
from engine.matching.refusals import refusal
from engine.matching.search import Search
from engine.matching.trigger import Candidate, Form, Lexicon, Trigger, only_asks, rank
from engine.text.normalise import fold
from engine.text.words import Word, analyse

_NOT = "ない"


def taken_apart(text: str, lexicon: Lexicon) -> Sequence[Sequence[str]]:
    """The words of a trigger, each as the forms that the dictionary makes of it: 取り消す is 取る and 消す."""
    words = [[one for one in analyse(word) if one.tags[0] not in PAUSES] for word in text.split()]
    return [[_form_of(one, lexicon) for one in forms] for forms in words if forms]


def _form_of(word: Word, lexicon: Lexicon) -> str:
    return _NOT if word.form in grammar.NEGATIVE else lexicon.same.get(word.form, word.form)


def sentences(text: str, lexicon: Lexicon) -> Sequence[Sequence[str]]:
    """The forms of an utterance's words, up to each pause."""
    found: list[list[str]] = [[]]
    for word in analyse(steady(text)):
        if word.tags[0] in PAUSES:
            found.append([])
        else:
            found[-1].append(_form_of(word, lexicon))
    return found


def said(words: Sequence[Sequence[str]], sentence: Sequence[str]) -> bool:
    """Whether the sentence has these words in this order, and denies none of them."""
    if not words:
        return False
    own = {form for forms in words for form in forms}
    place = 0
    for number, forms in enumerate(words):
        start = _find(forms, sentence, place)
        if start < 0:
            return False
        if number and _NOT not in own and _NOT in sentence[place:start]:
            return False
        place = start + len(forms)
    return not (place < len(sentence) and sentence[place] == _NOT)


def _find(forms: Sequence[str], sentence: Sequence[str], place: int) -> int:
    size = len(forms)
    return next((at for at in range(place, len(sentence) - size + 1) if sentence[at : at + size] == forms), -1)


EXACT = 100.0
"""The score of the same normal form, and of what an editor asked for outright."""

MOST = 99.0
"""The most that a text compared by words scores."""
PART = 0.5
"""So much less does each smaller part of a text score: what answers more of it comes first."""


class Closeness:
    """Compares utterances with triggers; `triggers` and their `forms` are in the pipeline's order."""

    def __init__(
        self, triggers: Sequence[Trigger], forms: Sequence[Form], search: Search, parts: Parts, lexicon: Lexicon
    ) -> None:
        self._triggers = triggers
        self._forms = forms
        self._search = search
        self._parts = parts
        self._lexicon = lexicon

    def candidates(self, text: str, threshold: float) -> Iterator[Candidate]:
        """The triggers that may answer, best first; those that only come close are looked for when they are needed."""
        queries = takes(text, self._lexicon)
        yield from self._ranked(self._certain(text, queries[0], threshold))
        close = self._close(queries, threshold)
        yield from self._ranked(candidate for candidate in close.values() if candidate.refused is None)

    def explain(self, text: str, threshold: float) -> tuple[Candidate, ...]:
        """Every trigger reached at this threshold, the refused ones with their reason."""
        queries = takes(text, self._lexicon)
        certain = list(self._certain(text, queries[0], threshold))
        equal = {candidate.trigger for candidate in certain if candidate.exact}
        close = self._close(queries, threshold)
        return tuple(self._ranked([*certain, *(one for row, one in close.items() if row not in equal)]))

    def words(self, text: str) -> tuple[tuple[str, str], ...]:
        """Tells an editor what is read in a text, as (what, words)."""
        return read_out(form(text, self._lexicon))

    def trigger_words(self, trigger: int) -> str:
        """Tells on one line what counts of a trigger that is compared by words."""
        if self._triggers[trigger].kind != "fuzzy":
            return ""
        parts = (text for what, text in read_out(self._forms[trigger]) if what != "changes nothing")
        return joined("{before}; {after}", parts)

    def _ranked(self, found: Iterable[Candidate]) -> list[Candidate]:
        return sorted(found, key=lambda candidate: rank(candidate, self._triggers))

    def _certain(self, text: str, whole: Form, threshold: float) -> Iterator[Candidate]:
        """Finds the triggers that the text is word for word, and those that an editor asked for outright."""
        for row in self._search.equal(whole.text) if threshold <= EXACT else ():
            if not only_asks(text, self._triggers[row], self._forms[row]):
                yield self._candidate(row, EXACT, exact=True)
        for row, part in self._parts.contained:
            if part in whole.text:
                yield self._candidate(row, EXACT)
        for row in self._parts.matched({fold(text), whole.text}):
            yield self._candidate(row, EXACT)
        for row in self._parts.spoken(text, self._lexicon):
            yield self._candidate(row, EXACT)

    def _close(self, queries: Sequence[Form], threshold: float) -> Mapping[int, Candidate]:
        """The triggers that say the same by their words, and those that come close and do not, by row."""
        best: dict[int, Candidate] = {}
        for place, query in enumerate(queries):
            most = MOST - PART * place
            for row, letters in scores(self._search, query, min(threshold, REACH)).items():
                compared = compare(query, self._forms[row])
                score = min(compared.score(letters), most)
                if score >= threshold:
                    found = self._candidate(row, score, refused=refusal(compared))
                    other = best.get(row)
                    if other is None or (found.refused is None, found.score) > (other.refused is None, other.score):
                        best[row] = found
        return best

    def _candidate(self, row: int, score: float, *, exact: bool = False, refused: str | None = None) -> Candidate:
        reply = self._triggers[row].reply
        return Candidate(trigger=row, reply=reply, score=score, exact=exact, refused=refused)


def scores(search: Search, query: Form, threshold: float) -> dict[int, float]:
    """Scores by letters (0-100) of the triggers at or above the threshold, and of those with the same content words."""
    found = dict.fromkeys(search.equal(query.bag, "bag"), 0.0)
    for pair in PAIRS:
        cutoff, words = pair.cutoff(threshold), getattr(query, pair.name)
        if cutoff is None or not words:
            continue
        for row, text, ratio in search.close(pair.name, words, cutoff):
            score = pair.score(ratio)
            if score >= threshold and score > found.get(row, -1.0) and comparable(words, text):
                found[row] = score
    return found


def form_of(trigger: Trigger, lexicon: Lexicon) -> Form:
    """The form that a trigger is compared by; one that is looked for as it stands has no words."""
    return form(trigger.text, lexicon) if trigger.kind == "fuzzy" else unread(trigger.text)


def columns(triggers: Sequence[Trigger], forms: Sequence[Form]) -> dict[str, list[str]]:
    """Lists what is compared of the fuzzy triggers, and nothing of the others."""
    fuzzy = [(one, trigger.kind == "fuzzy") for one, trigger in zip(forms, triggers, strict=True)]
    return {pair.name: [getattr(one, pair.name) if is_fuzzy else "" for one, is_fuzzy in fuzzy] for pair in PAIRS}
