"""P313: a condition compares with a kind that no example teaches."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.expression import Comparison, Constant, Expression, Name
from engine.core.source import Code, Problem
from engine.expressions.evaluate import parts_of
from engine.expressions.parse import ConditionError
from engine.pipeline.schema.advice import hint
from engine.validation.checks.broken_condition import conditions
from engine.validation.subject import Subject

P313 = Code("P313", "an unknown kind of sentence")

_OF_KINDS = {("kind", "name"), ("kind", "second"), ("last", "kind")}


def check(subject: Subject) -> Iterator[Problem]:
    known = [kind.name.value for kind in subject.spec.kinds]
    if not known or "kind" in subject.lost:
        return
    for text, scope in conditions(subject):
        if "kind" not in text.value:
            continue
        try:
            tree = subject.parsed(text, scope).tree
        except ConditionError:
            continue
        for word in dict.fromkeys(_compared(tree)):
            if word not in known:
                place = subject.sources.find(text.span, word)
                yield P313.problem(f"no examples teach a kind `{word}`", place, hint(word, known))


def _compared(tree: Expression) -> Iterator[str]:
    """The texts that are compared with the name of a kind."""
    if isinstance(tree, Comparison):
        sides = [tree.first, *(side for _, side in tree.rest)]
        if any(isinstance(side, Name) and side.path in _OF_KINDS for side in sides):
            for side in sides:
                values = side.value if isinstance(side, Constant) else ()
                yield from (one for one in (values if isinstance(values, tuple) else (values,)) if isinstance(one, str))
    for part in parts_of(tree):
        yield from _compared(part)
