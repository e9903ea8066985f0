"""Finds examples of kinds of sentences that teach nothing, or the wrong thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from engine.core.language import phrase
from engine.core.source import Code, Problem, Text
from engine.kinds.features import runs
from engine.kinds.learning import judge_each
from engine.pipeline.reading.files import shortened
from engine.pipeline.spec import KindSpec
from engine.validation.subject import Subject

P520 = Code("P520", "a kind with too few examples", severity="warning")
P519 = Code("P519", "an example of a kind that stands twice", severity="warning")
P521 = Code("P521", "an example that looks like another kind", heuristic=True)

FEW = 10


def few_examples(subject: Subject) -> Iterator[Problem]:
    """P520: a kind with too few examples to be told from the others."""
    kinds = subject.spec.kinds if "kind" not in subject.lost else ()
    if len(kinds) == 1:
        message = phrase("`{name}` is the only kind, so every sentence is of it", name=kinds[0].name.value)
        hint = phrase("write examples of what else is said, as a second kind")
        yield P520.problem(message, kinds[0].name.span, hint)
    for kind in kinds:
        if len(kind.examples) < FEW:
            count, name = len(kind.examples), kind.name.value
            message = (
                phrase("kind `{kind}` has only 1 example", kind=name)
                if count == 1
                else phrase("kind `{kind}` has only {count} examples", kind=name, count=count)
            )
            hint = phrase("write at least {least}, as different people would say it", least=FEW)
            yield P520.problem(message, kind.name.span, hint)


def repeated_examples(subject: Subject) -> Iterator[Problem]:
    """P519: the same sentence twice among the examples of kinds; of two kinds it teaches neither."""
    first: dict[str, tuple[KindSpec, Text]] = {}
    for kind in subject.spec.kinds:
        for example in kind.examples:
            said = " ".join(example.value.split())
            if said not in first:
                first[said] = (kind, example)
                continue
            other, place = first[said]
            names = {"example": shortened(said), "kind": kind.name.value}
            message = (
                phrase("example `{example}` of kind `{kind}` stands twice", **names)
                if other is kind
                else phrase(
                    "example `{example}` of kind `{kind}` stands in `{other}`, too", other=other.name.value, **names
                )
            )
            hint = phrase("remove one; the first stands at {place}", place=place.span)
            yield P519.problem(message, example.span, hint)


SURE = 0.99
"""How sure the others must be before anybody is told."""

_RUNS = (3,)
"""Characters are enough to find what stands in a wrong list, and need no dictionary: a check must not take seconds."""


def misplaced_examples(subject: Subject) -> Iterator[Problem]:
    """P521: an example of a kind that looks like another kind to all other examples."""
    placed = [(kind.name.value, example) for kind in subject.spec.kinds for example in kind.examples]
    if len(subject.spec.kinds) < 2 or "kind" in subject.lost:
        return
    often = Counter(example.value for _, example in placed)
    for judged in judge_each([(kind, runs(example.value.lower(), _RUNS)) for kind, example in placed]):
        example = placed[judged.place][1]
        # One that stands twice is told as that.
        if judged.told != judged.kind and judged.sure >= SURE and often[example.value] == 1:
            message = phrase(
                "example `{example}` of kind `{kind}` looks like `{told}`",
                example=shortened(example.value),
                kind=judged.kind,
                told=judged.told,
            )
            hint = phrase("move it to `{told}`, or write more examples like it here", told=judged.told)
            yield P521.problem(message, example.span, hint)
