"""Which `contains` and `regex` triggers are found in other replies' triggers, without asking the index each time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from engine.text.normalise import fold
from engine.text.regexes import PatternSet
from engine.validation.subject import Subject

MOST = 500
"""Triggers counted for one part; a part that is found in so many means nothing anyway."""


@lru_cache(maxsize=1)
def reached(subject: Subject) -> dict[int, list[int]]:
    """For each `contains` or `regex` trigger, the triggers of other replies whose words it is found in, by position.

    At most `MOST` for each; regexes have no words of their own and are not among them.
    """
    texts = [place for place, trigger in enumerate(subject.index.triggers) if trigger.kind != "regex"]
    found: dict[int, list[int]] = {}
    for wide, narrow in (*_contained(subject, texts), *_matched(subject, texts)):
        if subject.triggers[wide].place != subject.triggers[narrow].place:
            found.setdefault(wide, []).append(narrow)
    return found


def _contained(subject: Subject, places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """One search of all texts at once for each part: much faster than a loop over pairs."""
    forms = subject.index.forms
    texts = [forms[place].text for place in places]
    starts = [0]
    for text in texts:
        starts.append(starts[-1] + len(text) + 1)
    joined = "\n".join(texts)
    for place, trigger in enumerate(subject.index.triggers):
        if trigger.kind == "contains" and forms[place].text:
            lines = islice(_lines_with(forms[place].text, joined, starts), MOST)
            yield from ((place, places[line]) for line in lines)


def _lines_with(part: str, joined: str, starts: Sequence[int]) -> Iterator[int]:
    at = joined.find(part)
    while at >= 0:
        line = bisect_right(starts, at) - 1
        yield line
        at = joined.find(part, starts[line + 1])


def _matched(subject: Subject, places: Sequence[int]) -> Iterator[tuple[int, int]]:
    regexes = [place for place, trigger in enumerate(subject.index.triggers) if trigger.kind == "regex"]
    if not regexes:
        return
    patterns = PatternSet([subject.index.triggers[place].text for place in regexes])
    for place in places:
        text, normal = subject.index.triggers[place].text, subject.index.forms[place].text
        shown = {normal} if text == normal else {fold(text), normal}
        for number in sorted({number for text in shown for number in patterns.found_in(text)}):
            yield regexes[number], place
