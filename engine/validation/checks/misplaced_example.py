"""P521: an example of a kind that looks like another kind to all other examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from engine.core.source import Code, Problem
from engine.kinds.features import runs
from engine.kinds.misplaced import judge_each
from engine.pipeline.reading.files import shortened
from engine.validation.subject import Subject

P521 = Code("P521", "an example that looks like another kind", heuristic=True)

SURE = 0.99
"""How sure the others must be before anybody is told."""

_RUNS = (3,)
"""Characters are enough to find what stands in a wrong list, and need no dictionary: a check must not take seconds."""


def check(subject: Subject) -> Iterator[Problem]:
    placed = [(kind.name.value, example) for kind in subject.spec.kinds for example in kind.examples]
    if len(subject.spec.kinds) < 2 or "kind" in subject.lost:
        return
    often = Counter(example.value for _, example in placed)
    for judged in judge_each([(kind, runs(example.value.lower(), _RUNS)) for kind, example in placed]):
        example = placed[judged.place][1]
        # One that stands twice is told as that.
        if judged.told != judged.kind and judged.sure >= SURE and often[example.value] == 1:
            message = f"example `{shortened(example.value)}` of kind `{judged.kind}` looks like `{judged.told}`"
            hint = f"move it to `{judged.told}`, or write more examples like it here"
            yield P521.problem(message, example.span, hint)
