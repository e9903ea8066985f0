"""Which `contains` and `regex` triggers are found in other replies' triggers, without asking the index each time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from engine.building.checks.subject import Subject
from engine.matching.normalise import fold, normalise


@lru_cache(maxsize=1)
def reached(subject: Subject) -> dict[int, list[int]]:
    """For each `contains` or `regex` trigger, the fuzzy triggers of other replies that it is found in, by position."""
    fuzzy = [place for place, trigger in enumerate(subject.index.triggers) if trigger.kind == "fuzzy"]
    found: dict[int, list[int]] = {}
    for wide, narrow in (*_contained(subject, fuzzy), *_matched(subject, fuzzy)):
        if subject.triggers[wide].place != subject.triggers[narrow].place:
            found.setdefault(wide, []).append(narrow)
    return found


def _contained(subject: Subject, fuzzy: list[int]) -> Iterator[tuple[int, int]]:
    """One search of all texts at once for each part: much faster than a loop over pairs."""
    forms = subject.index.forms
    starts, texts, length = [], [], 0
    for place in fuzzy:
        starts.append(length)
        texts.append(forms[place].text)
        length += len(forms[place].text) + 1
    joined = "\n".join(texts)
    for place, trigger in enumerate(subject.index.triggers):
        part = forms[place].text
        if trigger.kind == "contains" and part:
            at = joined.find(part)
            while at >= 0:
                line = bisect_right(starts, at) - 1
                yield place, fuzzy[line]
                at = joined.find(part, starts[line] + len(texts[line]))


def _matched(subject: Subject, fuzzy: list[int]) -> Iterator[tuple[int, int]]:
    regexes = [place for place, trigger in enumerate(subject.index.triggers) if trigger.kind == "regex"]
    if not regexes:
        return
    patterns = _all_of([subject.index.triggers[place].text for place in regexes])
    for place in fuzzy:
        text = subject.index.triggers[place].text
        for number in sorted({*(patterns.Match(fold(text)) or ()), *(patterns.Match(normalise(text)) or ())}):
            yield regexes[number], place


def _all_of(patterns: list[str]) -> Any:
    """An re2 set, which tries all patterns in one pass."""
    import re2  # noqa: PLC0415 - loaded only for pipelines that use patterns

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    found = re2.Set.SearchSet(options)
    for pattern in patterns:
        found.Add(pattern)
    found.Compile()
    return found
