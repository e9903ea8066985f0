"""P317: a template says `captured.NAME`, and no regex of its reply has a group of that name."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from engine.core.source import Code, Problem, Span
from engine.pipeline.schema.advice import hint
from engine.templates.grammar import names_in
from engine.text.regexes import named_groups
from engine.validation.checks.broken_template import templates_of, whole
from engine.validation.subject import Subject

P317 = Code("P317", "a capture that no regex makes")


def check(subject: Subject) -> Iterator[Problem]:
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
                f"`{word}` stands in a prompt, which sees no captures", place, "remember it, and write `memory.NAME`"
            )
        elif len(path) == 1:
            yield P317.problem("`captured` stands without a name", place, "write `captured.NAME`")
        else:
            message = f"no regex of this reply captures `{path[1]}`"
            yield P317.problem(message, place, hint(path[1], known) or f"write `(?P<{path[1]}>…)` in a regex")
