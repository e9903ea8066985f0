"""P519: the same sentence twice among the examples of kinds; of two kinds it teaches neither."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.source import Code, Problem, Text
from engine.pipeline.reading.files import shortened
from engine.pipeline.spec import KindSpec
from engine.validation.subject import Subject

P519 = Code("P519", "an example of a kind that stands twice", severity="warning")


def check(subject: Subject) -> Iterator[Problem]:
    first: dict[str, tuple[KindSpec, Text]] = {}
    for kind in subject.spec.kinds:
        for example in kind.examples:
            said = " ".join(example.value.split())
            if said not in first:
                first[said] = (kind, example)
                continue
            other, place = first[said]
            where = "twice" if other is kind else f"in `{other.name.value}`, too"
            message = f"example `{shortened(said)}` of kind `{kind.name.value}` stands {where}"
            hint = f"remove one; the first stands at {place.span}"
            yield P519.problem(message, example.span, hint)
