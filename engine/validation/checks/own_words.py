"""P315, P524: words of a pipeline's own that contradict each other, and words that the dictionary does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.core.source import Code, Problem, Text
from engine.pipeline.spec import WordsTrigger
from engine.text.words import LATIN, analyse
from engine.validation.subject import Subject

P315 = Code("P315", "a word in two lists")
P524 = Code("P524", "a word that the dictionary does not know", heuristic=True)

_FOREIGN = re.compile("[ァ-ヺー]+").fullmatch


def check(subject: Subject) -> Iterator[Problem]:
    yield from _in_two_lists(subject)
    lists = [word for group in subject.spec.synonyms for word in group]
    triggers = (placed.trigger for placed in subject.triggers)
    lists += [word for trigger in triggers if isinstance(trigger, WordsTrigger) for word in trigger.words]
    for word in lists:
        if not is_known(word.value):
            message = f"the dictionary does not know `{word.value}`"
            hint = "write it as a dictionary has it; a name or a new word is matched only where it stands alike"
            yield P524.problem(message, word.span, hint)


def is_known(text: str) -> bool:
    """Whether the dictionary has each word of `text`, as far as it can tell: not of numbers, nor of words in katakana
    or Latin letters, which it makes of their parts.
    """
    return all(
        word.known or word.tags[0] == LATIN or "数詞" in word.tags or _FOREIGN(word.surface) for word in analyse(text)
    )


def _in_two_lists(subject: Subject) -> Iterator[Problem]:
    """A word counts as one other word at most, and one of address as none."""
    seen: dict[tuple[str, ...], tuple[int, Text]] = {}
    groups = [subject.spec.address, *subject.spec.synonyms]
    for number, group in enumerate(groups):
        for word in group:
            forms = tuple(one.form for one in analyse(word.value))
            other, first = seen.setdefault(forms, (number, word))
            if other != number:
                where = "`address`" if other == 0 else f"the list of line {first.span.line}"
                message = f"`{word.value}` stands in {where}, too"
                hint = "take it out of one of them, or make one list of both"
                yield P315.problem(message, word.span, hint)
