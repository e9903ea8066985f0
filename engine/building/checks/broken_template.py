"""P404, P402, P405: a template that Jinja cannot read, uses an unknown name, or a construct that is not allowed."""

from __future__ import annotations

from collections.abc import Iterator

from engine.building.checks.subject import Subject
from engine.model.source import Problem, Span
from engine.prompts.grammar import TemplateMistake, check_template, is_constant
from engine.reading.text import at

_CODES = {"syntax": "P404", "name": "P402", "construct": "P405"}


def check(subject: Subject) -> Iterator[Problem]:
    scope = subject.scopes.templates
    for source, span in templates(subject):
        if not is_constant(source):
            for mistake in check_template(source, scope):
                yield _problem(subject, mistake, span)


def templates(subject: Subject) -> Iterator[tuple[str, Span]]:
    """The text of every template with the span that it fills: variants of replies, and whole prompt files."""
    for reply in subject.spec.replies:
        for variant in reply.say:
            yield variant.text.value, variant.text.span
    for prompt in subject.prompts.values():
        if prompt.text is not None:
            yield prompt.text, whole(prompt.file, prompt.text)


def whole(file: str, text: str) -> Span:
    """The span of all of a file."""
    return Span(file=file, line=1, column=1, end_line=text.count("\n") + 2, end_column=1)


def _problem(subject: Subject, mistake: TemplateMistake, span: Span) -> Problem:
    place = subject.sources.find(span, mistake.word, line=mistake.line)
    if not mistake.word:
        place = _opening(subject, place)
    return Problem(code=_CODES[mistake.kind], message=mistake.message, span=place, hint=mistake.hint)


def _opening(subject: Subject, place: Span) -> Span:
    """The last `{{` or `{%` on the line, which is what a template without a word to point at is broken by."""
    line = subject.sources.line(place.file, place.line)
    start = max(line.rfind("{{"), line.rfind("{%"))
    return at(place.file, place.line, start + 1, 2) if start >= place.column - 1 else place
