"""Finds templates that fail when they are tried, and braces where no template is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jinja2 import UndefinedError

from engine.core.expression import Template
from engine.core.language import phrase
from engine.core.source import Code, Problem, Span, Text
from engine.expressions.scope import LAST, WORDS
from engine.pipeline.environment import values
from engine.pipeline.reading.files import at
from engine.pipeline.schema.shape import start_of
from engine.templates import TemplateRenderer
from engine.templates.grammar import check_template, is_constant
from engine.validation.checks.broken_templates import templates
from engine.validation.subject import Subject

P407 = Code("P407", "a template that fails when it is tried")
P408 = Code("P408", "a prompt that is very long", severity="warning")
P409 = Code("P409", "a template where none is read", severity="warning")

_UNKNOWABLE = re.compile(r"\b(client|vars|captured)\b")
_PLAIN_NAMES = re.compile(r"\{\{-?\s*[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\s*-?\}\}")
LONGEST_PROMPT = 16_000
"""Characters: more than the context of small models holds beside a conversation."""


def failing_templates(subject: Subject) -> Iterator[Problem]:
    """P407, P408: a template that fails when it is tried, or a prompt that comes out very long.

    Templates are rendered once with sample values. Those that look at clients, variables or captures, whose values
    nobody knows before a turn, are not tried.
    """
    renderer, names = TemplateRenderer(), _sample(subject)
    prompts = {prompt.file for prompt in subject.prompts.values()}
    for source, span in templates(subject):
        if span.file not in prompts and not _may_fail(source):
            continue
        if _UNKNOWABLE.search(source) or check_template(source, subject.scopes.templates):
            continue
        try:
            text = renderer.render(Template(source=source, origin="", constant=False), names)
        except ValueError as error:
            yield _at_its_beginning(P407, phrase("template fails when it is tried: {why}", why=_why(error)), span)
            continue
        if span.file in prompts and len(text) > LONGEST_PROMPT:
            message = phrase(
                "prompt comes out {count:,} characters long, which small models cannot hold", count=len(text)
            )
            yield _at_its_beginning(P408, message, span)


def _may_fail(source: str) -> bool:
    """Whether a template does more than print known names: only then can it fail when all its names are right."""
    return not is_constant(source) and ("{%" in source or bool(_PLAIN_NAMES.sub("", source).count("{{")))


def _why(error: ValueError) -> str:
    """The cause in plain words: what Python says of it names types that no editor knows."""
    if isinstance(error.__cause__, TypeError | ArithmeticError):
        return phrase("it calculates with something that is not a number, or divides by zero")
    if isinstance(error.__cause__, LookupError | UndefinedError):
        return phrase("it asks for something that is not there")
    return str(error).removeprefix(": ")


def _at_its_beginning(code: Code, message: str, span: Span) -> Problem:
    return code.problem(message, span if span.end_line == span.line else start_of(span))


def _sample(subject: Subject) -> Mapping[str, Any]:
    env, _ = values({})
    return {
        "text": "こんばんは",
        "turn": {"number": 1},
        "session": {"id": "sample", "turns": 0, "offered": "枝豆", "said": "welcome"},
        "last": dict.fromkeys(LAST, "いらっしゃい"),
        "topic": "仕事",
        "visitor": {"visits": 3, "days_away": 21.0, "signed_in": True, "name": "健太"},
        "memory": {row.name.value: "健太" for row in subject.spec.memory},
        "words": dict.fromkeys(WORDS, "仕事"),
        "now": {"year": 2026, "month": 11, "day": 20, "hour": 19, "minute": 30, "weekday": 4},
        "env": env,
        "persona": subject.spec.persona.data,
    }


_PLACEHOLDER = re.compile(
    r"\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)|<(?:START|BOT|USER|CHAR)>|\{(?:char|user)\}", re.IGNORECASE
)
_BRACES = re.compile(
    r"(?<![{$])\{ *(?:(?:persona|now|client|vars|session|turn)\.\w+|[A-Za-z_]\w*) *\}(?!\})"
    r"|｛[｛％].*?[｝％]｝|\$[A-Za-z_][A-Za-z0-9_]*"
)


def unread_templates(subject: Subject) -> Iterator[Problem]:
    """P409: `{{ … }}` where no template is read: in triggers, in example sentences, in the persona's data; and signs
    that make no template: single braces around a name, wide ones, or a `$` before it.
    """
    for text in _plain_texts(subject):
        if "{{" in text.value or "{%" in text.value:
            yield _stays(text.span)
    yield from map(_stays, _in_data(subject))
    for reply in subject.spec.replies:
        for variant in reply.say:
            found = _BRACES.search(variant.text.value)
            if found:
                message = phrase("this is not a template: `{found}` stays as it is written", found=found[0])
                span = subject.sources.find(variant.text.span, found[0])
                yield P409.problem(message, span, phrase("write `{{ … }}`, or the words themselves"))


def _stays(span: Span) -> Problem:
    message = phrase("this is not a template: `{{ … }}` stays as it is written")
    return P409.problem(message, span, phrase("write the words themselves"))


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
        yield from (trigger.text for trigger in reply.match)
        yield from (*reply.examples, *reply.counterexamples)
    if subject.spec.closing is not None:
        yield subject.spec.closing
    persona = subject.spec.persona
    yield persona.name
    for example in persona.examples:
        yield from (example.user, example.reply)
