"""P517: something that looks like a credential stands in a file. A heuristic on well-known forms of keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.pipeline.reading.files import at
from engine.text.secret_patterns import CREDENTIAL
from engine.validation.subject import Subject

P517 = Code("P517", "something that looks like a secret", heuristic=True)


def check(subject: Subject) -> Iterator[Problem]:
    spec = subject.spec
    files = {spec.file: None} | dict.fromkeys(reply.span.file for reply in spec.replies)
    files |= dict.fromkeys(prompt.file for prompt in subject.prompts.values())
    for file in files:
        for number, line in enumerate(subject.sources.lines(file), start=1):
            for found in re.finditer(CREDENTIAL, line):
                span = at(file, number, found.start() + 1, len(found[0]))
                message = "this looks like a secret, and files are no place for one"
                hint = "remove it and revoke it; backends read their secrets from the environment"
                yield P517.problem(message, span, hint)
