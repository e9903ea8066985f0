"""Finds what the persona holds and a reply writes out: facts, and the numbers of help lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from engine.core.language import phrase
from engine.core.record import record
from engine.core.source import Code, Problem, Text
from engine.validation.subject import Subject

P523 = Code("P523", "a fact of the persona written out", heuristic=True)
P522 = Code("P522", "a phone number outside of the help lines", severity="warning")

_NO_FACTS = frozenset({"labels", "help_lines", "examples"})
_SHORTEST, _LONGEST = 3, 30
"""Characters of a text that is a fact as a whole: a shorter one is said for many reasons, a longer one otherwise."""
_NUMBER = re.compile(r"[0-9][0-9,.]*(?:時半|か月| ?[^\W\d_]+(?<=[a-z])|[^\W\d_])", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


@record
class _Fact:
    path: str
    words: str
    lowered: str
    pattern: re.Pattern[str]


def written_facts(subject: Subject) -> Iterator[Problem]:
    """P523: a fact of the persona written out in a reply, which goes on saying it after the fact has changed. A guess.

    Facts are what stands in the persona's blocks: short texts as a whole, and numbers with the unit after them. Names
    and lists have many uses that are no statement of fact, and are left alone.
    """
    facts = [fact for path, value in _values(subject.spec.persona.data, "persona") for fact in _facts(path, value)]
    for reply in subject.spec.replies:
        for variant in reply.say:
            own = unicodedata.normalize("NFKC", _TEMPLATE.sub("", variant.text.value))
            lowered = own.lower()
            likely = (fact for fact in facts if fact.lowered in lowered)
            told = next(((fact, found[0]) for fact in likely if (found := fact.pattern.search(own))), None)
            if told is not None:
                fact, words = told
                message = phrase(
                    "`{words}` is written out, which the persona holds as `{path}`", words=words, path=fact.path
                )
                hint = phrase("write `{{{{ {path} }}}}`, so that it stays right when that changes", path=fact.path)
                place = subject.sources.find(variant.text.span, words)
                yield P523.problem(message, place, hint)


def _values(data: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """The texts and numbers in the blocks of the persona, with their paths."""
    for key, value in data.items():
        if isinstance(value, Mapping) and key not in _NO_FACTS:
            yield from _values(value, f"{path}.{key}")
        elif isinstance(value, str | int | float) and not isinstance(value, bool) and path != "persona":
            yield f"{path}.{key}", unicodedata.normalize("NFKC", str(value))


def _facts(path: str, value: str) -> Iterator[_Fact]:
    if path.endswith(".name"):
        return
    words = [found[0] for found in _NUMBER.finditer(value)]
    if _SHORTEST <= len(value) <= _LONGEST:
        words.insert(0, value)
    for one in words:
        yield _Fact(path=path, words=one, lowered=one.lower(), pattern=re.compile(_alone(one), re.IGNORECASE))


def _alone(words: str) -> str:
    """A pattern for `words` that are no part of a longer number or Latin word: 7時 is not in 17時, nor 1時 in 1時半."""
    before = r"(?<![0-9a-z,.])" if re.match(r"[0-9a-z]", words, re.IGNORECASE) else ""
    after = r"(?![a-z])" if re.search(r"[a-z]$", words, re.IGNORECASE) else "(?!半)" if words.endswith("時") else ""
    return before + re.escape(words) + after


_PHONE = re.compile(r"(?<![0-9-])(?:0[0-9]{1,4}-[0-9]{1,4}-[0-9]{3,5}|#[0-9]{4})(?![0-9-])")
"""A number with its dashes, or a short one after #. What has three digits (110, 119) is known to everybody."""


def loose_numbers(subject: Subject) -> Iterator[Problem]:
    """P522: a phone number written out, where the persona keeps its help lines in one place."""
    lines = subject.spec.persona.data.get("help_lines")
    if not isinstance(lines, dict):
        return
    names = {str(number): name for name, number in lines.items()}
    for text in _spoken(subject):
        for number in dict.fromkeys(_PHONE.findall(text.value)):
            message = phrase("the number `{number}` is written out", number=number)
            if number in names:
                hint = phrase(
                    "write `{{{{ persona.help_lines.{name} }}}}`, so that it is kept in one place", name=names[number]
                )
            else:
                hint = phrase("give it a name under `help_lines` of the persona, and write that")
            place = subject.sources.find(text.span, number)
            yield P522.problem(message, place, hint)


def _spoken(subject: Subject) -> Iterator[Text]:
    for reply in subject.spec.replies:
        yield from (variant.text for variant in reply.say)
    for example in subject.spec.persona.examples:
        yield example.reply
