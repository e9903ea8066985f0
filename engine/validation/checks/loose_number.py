"""P522: a phone number written out, where the persona keeps its help lines in one place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.core.source import Code, Problem, Text
from engine.validation.subject import Subject

P522 = Code("P522", "a phone number outside of the help lines", severity="warning")

_NUMBER = re.compile(r"(?<![0-9-])(?:0[0-9]{1,4}-[0-9]{1,4}-[0-9]{3,5}|#[0-9]{4})(?![0-9-])")
"""A number with its dashes, or a short one after #. What has three digits (110, 119) is known to everybody."""


def check(subject: Subject) -> Iterator[Problem]:
    lines = subject.spec.persona.data.get("help_lines")
    if not isinstance(lines, dict):
        return
    names = {str(number): name for name, number in lines.items()}
    for text in _said(subject):
        for number in dict.fromkeys(_NUMBER.findall(text.value)):
            message = f"the number `{number}` is written out"
            if number in names:
                hint = f"write `{{{{ persona.help_lines.{names[number]} }}}}`, so that it is kept in one place"
            else:
                hint = "give it a name under `help_lines` of the persona, and write that"
            place = subject.sources.find(text.span, number)
            yield P522.problem(message, place, hint)


def _said(subject: Subject) -> Iterator[Text]:
    for reply in subject.spec.replies:
        yield from (variant.text for variant in reply.say)
    for example in subject.spec.persona.examples:
        yield example.reply
