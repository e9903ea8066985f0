"""P401, P402, P403: a condition that is no expression, uses an unknown name, or a construct that is not allowed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from engine.building.checks.subject import Subject
from engine.model.source import Problem
from engine.model.spec import ExpressionDetectorSpec, SetStepSpec, Text
from engine.prompts.conditions import ConditionError, parse_condition
from engine.prompts.scope import Scope

_QUOTED = re.compile("'[^']*'|\"[^\"]*\"")
_SLIPS = (
    (re.compile("=>|＞＝|≧|≥"), ">="),
    (re.compile("=<|＜＝|≦|≤"), "<="),
    (re.compile("&&|＆＆"), "and"),
    (re.compile("\\|\\||｜｜"), "or"),
    (re.compile("(?<![=!<>])=(?!=)"), "=="),
    (re.compile("[！-～]"), ""),
    (re.compile("「[^」]*」|“[^”]*”|『[^』]*』"), "'…'"),
)
"""What is written by mistake, with what is meant; nothing stands for the same sign of half width."""

_CODES = {"syntax": "P401", "name": "P402", "construct": "P403"}


def check(subject: Subject) -> Iterator[Problem]:
    for text, scope in conditions(subject):
        try:
            parse_condition(text.value, scope)
        except ConditionError as error:
            written, meant = _slip(text.value) if error.kind == "syntax" else ("", "")
            word = error.word or written
            place = subject.sources.find(text.span, word) if word else text.span
            hint = f"write `{meant}` instead of `{written}`" if written else error.hint
            yield Problem(code=_CODES[error.kind], message=str(error), span=place, hint=hint)


def _slip(source: str) -> tuple[str, str]:
    """What stands in a broken condition that other notations, or a Japanese keyboard, have for something of ours."""
    bare = _QUOTED.sub(lambda found: " " * len(found[0]), source)
    slips = [(found, meant) for pattern, meant in _SLIPS if (found := pattern.search(bare))]
    if not slips:
        return "", ""
    # The parser stops at the first one.
    first, meant = min(slips, key=lambda slip: slip[0].start())
    return first[0], meant or unicodedata.normalize("NFKC", first[0])


def conditions(subject: Subject) -> Iterator[tuple[Text, Scope]]:
    """Every expression of the pipeline and its replies, with the names it may use."""
    yield from decisions(subject)
    for step in subject.spec.steps:
        if isinstance(step, SetStepSpec):
            yield from ((text, subject.scopes.conditions) for _, text in step.vars)


def decisions(subject: Subject) -> Iterator[tuple[Text, Scope]]:
    """The expressions of which only the truth counts: each `when`, and each `if` of `escalate_when`."""
    names = subject.scopes
    for item in (*subject.spec.replies, *subject.spec.steps):
        if item.when is not None:
            yield item.when, names.conditions
    for step in subject.generate_steps:
        for detector in step.escalate_when:
            if isinstance(detector, ExpressionDetectorSpec):
                yield detector.test, names.detectors
