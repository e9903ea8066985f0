"""Finds templates that Jinja cannot read, that use a name nobody knows, or a capture that no regex makes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from engine.core.language import phrase
from engine.core.source import Code, Problem, Span
from engine.pipeline.reading.files import at
from engine.pipeline.schema.advice import hint
from engine.pipeline.spec import ReplySpec
from engine.templates.grammar import TemplateMistake, check_template, is_constant, names_in
from engine.text.regexes import named_groups
from engine.validation.checks.broken_conditions import P402, plainly
from engine.validation.subject import Subject

P404 = Code("P404", "a template that cannot be read")
P405 = Code("P405", "something that templates may not do")
P317 = Code("P317", "a capture that no regex makes")

_JINJA = (
    (re.compile(r"needs to be closed is '(\w+)'"), phrase("`{{% {sign} … %}}` is never closed by `{{% end{sign} %}}`")),
    (re.compile(r"unexpected '\}'"), phrase("`}}` is missing or stands too early")),
    (re.compile(r"unexpected char '(.)'"), phrase("`{sign}` cannot stand inside `{{{{ … }}}}`")),
    (
        re.compile(r"expected token 'end of print statement', got '(.+)'"),
        phrase("`{{{{ … }}}}` holds more than one thing, see `{sign}`"),
    ),
    (re.compile(r"Encountered unknown tag '(\w+)'"), phrase("`{{% {sign} … %}}` is not known here")),
    (re.compile(r"Expected an expression, got 'end of print statement'"), phrase("`{{ }}` is empty")),
    (re.compile(r"[Uu]nexpected end of template"), phrase("it ends in the middle of `{{ … }}` or `{% … %}`")),
)
_CODES = {"syntax": P404, "name": P402, "construct": P405}


def broken_templates(subject: Subject) -> Iterator[Problem]:
    """P404, P402, P405: a template that Jinja cannot read, uses an unknown name, or a construct that is not allowed."""
    scope = subject.scopes.templates
    for source, span in templates(subject):
        if not is_constant(source):
            for mistake in check_template(source, scope):
                yield _problem(subject, mistake, span)


def templates(subject: Subject) -> Iterator[tuple[str, Span]]:
    """The text of every template with the span that it fills: those of replies, and whole prompt files."""
    for reply in subject.spec.replies:
        yield from templates_of(reply)
    for prompt in subject.prompts.values():
        if prompt.text is not None:
            yield prompt.text, whole(prompt.file, prompt.text)


def templates_of(reply: ReplySpec) -> Iterator[tuple[str, Span]]:
    """The text of each template of a reply with the span that it fills."""
    for variant in reply.say:
        yield variant.text.value, variant.text.span
        if variant.offers is not None:
            yield variant.offers.value, variant.offers.span
    yield from ((text.value, text.span) for _, text in reply.remember)


def whole(file: str, text: str) -> Span:
    """The span of all of a file."""
    return Span(file=file, line=1, column=1, end_line=text.count("\n") + 2, end_column=1)


def _problem(subject: Subject, mistake: TemplateMistake, span: Span) -> Problem:
    place = subject.sources.find(span, mistake.word, line=mistake.line)
    if not mistake.word:
        place = _opening(subject, place)
    message = _plain(mistake.message) if mistake.kind == "syntax" else mistake.message
    hint = phrase("close each `{{` with `}}`") if "unexpected '}'" in mistake.message else mistake.hint
    return _CODES[mistake.kind].problem(message, place, hint)


def _plain(message: str) -> str:
    """Jinja's complaint in words for people who do not know its grammar; unknown ones stay as they are."""
    why, _ = plainly(message, _JINJA)
    return phrase("template is broken: {why}", why=why) if why else message


def _opening(subject: Subject, place: Span) -> Span:
    """The last `{{` or `{%` on the line, which is what a template without a word to point at is broken by."""
    line = subject.sources.line(place.file, place.line)
    start = max(line.rfind("{{"), line.rfind("{%"))
    return at(place.file, place.line, start + 1, 2) if start >= place.column - 1 else place


def missing_captures(subject: Subject) -> Iterator[Problem]:
    """P317: a template says `captured.NAME`, and no regex of its reply has a group of that name."""
    for reply in subject.spec.replies:
        # A regex that cannot be read may have the group.
        if any(pattern.span in subject.broken_regexes for pattern in reply.regexes):
            continue
        known = [name for pattern in reply.regexes for name in named_groups(pattern.value)]
        for source, span in templates_of(reply):
            yield from _missing(subject, source, span, known)
    for prompt in subject.prompts.values():
        if prompt.text is not None and "captured" in prompt.text:
            yield from _missing(subject, prompt.text, whole(prompt.file, prompt.text), None)


def _missing(subject: Subject, source: str, span: Span, known: Collection[str] | None) -> Iterator[Problem]:
    """`known` are the groups of the reply that the template belongs to; a prompt has none."""
    if "captured" not in source:
        return
    for path, line in names_in(source):
        if path[0] != "captured" or (known and path[1:2] and path[1] in known):
            continue
        word = ".".join(path)
        place = subject.sources.find(span, word, line=line)
        if known is None:
            yield P317.problem(
                phrase("`{word}` stands in a prompt, which sees no captures", word=word),
                place,
                phrase("remember it, and write `memory.NAME`"),
            )
        elif len(path) == 1:
            yield P317.problem(phrase("`captured` stands without a name"), place, phrase("write `captured.NAME`"))
        else:
            message = phrase("no regex of this reply captures `{name}`", name=path[1])
            yield P317.problem(
                message, place, hint(path[1], known) or phrase("write `(?P<{name}>…)` in a regex", name=path[1])
            )
