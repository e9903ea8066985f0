"""Finds memories that the pipeline does not have, that nothing fills or looks at, and values that are lost at once."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.language import phrase
from engine.core.source import Code, Problem
from engine.pipeline.schema.advice import hint
from engine.templates.grammar import is_constant, names_in
from engine.validation.checks.broken_conditions import conditions
from engine.validation.checks.broken_templates import templates
from engine.validation.subject import Subject
from engine.validation.worlds import paths_of

P316 = Code("P316", "a memory that the pipeline does not have")
P525 = Code("P525", "a memory that is never filled, or never used", severity="warning")
P526 = Code("P526", "a value that is cut, or forgotten at once", severity="warning")


def unknown_memories(subject: Subject) -> Iterator[Problem]:
    """P316: a reply remembers or forgets something that the pipeline does not list under `memory`."""
    known = [row.name.value for row in subject.spec.memory]
    for reply in subject.spec.replies:
        remembers = phrase("reply `{reply}` remembers `{name}`, which the pipeline does not have")
        forgets = phrase("reply `{reply}` forgets `{name}`, which the pipeline does not have")
        for template, names in ((remembers, [name for name, _ in reply.remember]), (forgets, reply.forget)):
            for name in names:
                if name.value not in known:
                    message = phrase(template, reply=reply.id.value, name=name.value)
                    add = phrase("add `{name}: {{label: …}}` under `memory` of the pipeline", name=name.value)
                    yield P316.problem(message, name.span, hint(name.value, known) or add)


def idle_memories(subject: Subject) -> Iterator[Problem]:
    """P525, P526: memories that nothing fills or nothing looks at, and values that are cut or forgotten at once."""
    yield from _in_vain(subject)
    # Whatever could not be read may fill a memory or use it.
    if not subject.lost and not subject.unsure_replies:
        yield from _idle(subject)


def _idle(subject: Subject) -> Iterator[Problem]:
    filled = {name.value for reply in subject.spec.replies for name, _ in reply.remember}
    used = set(_used(subject)) if subject.spec.memory else set()
    for row in subject.spec.memory:
        name = row.name.value
        if name not in filled:
            hint = phrase("write `remember: {{{name}: …}}` at a reply, or remove it", name=name)
            yield P525.problem(phrase("no reply remembers `{name}`", name=name), row.name.span, hint)
        elif name not in used and "" not in used:
            hint = phrase("write `memory.{name}` where it matters, or remove it", name=name)
            yield P525.problem(phrase("nothing looks at `memory.{name}`", name=name), row.name.span, hint)


def _used(subject: Subject) -> Iterator[str]:
    """The memories that conditions and templates look at; an empty name for all of them at once."""
    paths = [path for source, _ in templates(subject) if "memory" in source for path, _ in names_in(source)]
    for text, scope in conditions(subject):
        if "memory" in text.value:
            paths += paths_of(subject.parsed(text, scope))
    yield from ("".join(path[1:2]) for path in paths if path[0] == "memory")


def _in_vain(subject: Subject) -> Iterator[Problem]:
    most = {row.name.value: row.characters for row in subject.spec.memory}
    for reply in subject.spec.replies:
        forgotten = {name.value for name in reply.forget}
        for name, text in reply.remember:
            if name.value in forgotten:
                message = phrase(
                    "reply `{reply}` remembers `{name}` and forgets it, too", reply=reply.id.value, name=name.value
                )
                yield P526.problem(message, name.span, phrase("keep one of both"))
            longest = most.get(name.value)
            if longest is not None and is_constant(text.value) and len(text.value.strip()) > longest:
                message = phrase(
                    "of these {count} characters, `{name}` keeps {longest}",
                    count=len(text.value.strip()),
                    name=name.value,
                    longest=longest,
                )
                yield P526.problem(
                    message, text.span, phrase("raise `max` of `{name}`, or say it shorter", name=name.value)
                )
