"""P409: `{{ … }}` where no template is read: in triggers, in example sentences, in the persona's data; and braces that
make no template: single ones around a name, or wide ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.core.source import Code, Problem, Span, Text
from engine.pipeline.reading.files import at
from engine.validation.subject import Subject

P409 = Code("P409", "a template where none is read", severity="warning")

_PLACEHOLDER = re.compile(
    r"\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)|<(?:START|BOT|USER|CHAR)>|\{(?:char|user)\}", re.IGNORECASE
)
_BRACES = re.compile(r"(?<!\{)\{ *(?:persona|now|client|vars|session|turn)\.\w+ *\}(?!\})|｛[｛％].*?[｝％]｝")


def check(subject: Subject) -> Iterator[Problem]:
    for text in _plain_texts(subject):
        if "{{" in text.value or "{%" in text.value:
            yield _stays(text.span)
    yield from map(_stays, _in_data(subject))
    for reply in subject.spec.replies:
        for variant in reply.say:
            found = _BRACES.search(variant.text.value)
            if found:
                message = f"this is not a template: `{found[0]}` stays as it is written"
                span = subject.sources.find(variant.text.span, found[0])
                yield P409.problem(message, span, "write `{{ … }}`")


def _stays(span: Span) -> Problem:
    message = "this is not a template: `{{ … }}` stays as it is written"
    return P409.problem(message, span, "write the words themselves")


def _in_data(subject: Subject) -> Iterator[Span]:
    """Braces and placeholders of other tools in what only templates read of the persona."""
    persona = subject.spec.persona
    read = {text.span.line for text in _plain_texts(subject) if text.span.file == persona.span.file}
    if not any(_PLACEHOLDER.search(text) for text in _strings(persona.data)):
        return
    for number in range(persona.span.line, persona.span.end_line + 1):
        line = subject.sources.line(persona.span.file, number)
        found = _PLACEHOLDER.search(line)
        if found and number not in read and not line.lstrip().startswith("#"):
            yield at(persona.span.file, number, found.start() + 1, len(found[0]))


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from _strings(value)
    elif isinstance(data, Sequence):
        for value in data:
            yield from _strings(value)


def _plain_texts(subject: Subject) -> Iterator[Text]:
    for reply in subject.spec.replies:
        yield from (trigger.text for trigger in reply.match if hasattr(trigger, "text"))
        yield from (*reply.examples, *reply.counterexamples)
    persona = subject.spec.persona
    yield persona.name
    for example in persona.examples:
        yield from (example.user, example.reply)
