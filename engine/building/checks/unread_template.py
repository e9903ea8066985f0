"""P409: `{{ … }}` where no template is read: in triggers, in example sentences, in the persona's data; and braces that
make no template: single ones around a name, or wide ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.building.checks.subject import Subject
from engine.model.source import Problem
from engine.model.spec import Text

_BRACES = re.compile(r"(?<!\{)\{ *(?:persona|now|user|vars|session|turn)\.\w+ *\}(?!\})|｛[｛％].*?[｝％]｝")


def check(subject: Subject) -> Iterator[Problem]:
    for text in _plain_texts(subject):
        if "{{" in text.value or "{%" in text.value:
            message = "this is not a template: `{{ … }}` stays as it is written"
            hint = "write the words themselves"
            yield Problem(code="P409", message=message, span=text.span, severity="warning", hint=hint)
    for reply in subject.spec.replies:
        for variant in reply.say:
            found = _BRACES.search(variant.text.value)
            if found:
                message = f"this is not a template: `{found[0]}` stays as it is written"
                span = subject.sources.find(variant.text.span, found[0])
                yield Problem(code="P409", message=message, span=span, severity="warning", hint="write `{{ … }}`")


def _plain_texts(subject: Subject) -> Iterator[Text]:
    for reply in subject.spec.replies:
        yield from (trigger.text for trigger in reply.match if hasattr(trigger, "text"))
        yield from (*reply.examples, *reply.counterexamples)
    persona = subject.spec.persona
    yield persona.name
    for example in persona.examples:
        yield from (example.user, example.reply)
