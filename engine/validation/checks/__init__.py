"""The rules that no schema can state, one module each: what refers to what, what templates say, how replies behave.

A check takes a `Subject` and yields problems of the codes that it declares; the tables here are the whole list. The
essential ones find everything that would keep a pipeline from being built or from running, and are cheap enough for
every load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from engine.core.source import Problem
from engine.validation.checks import (
    backward_jump,
    broken_condition,
    broken_template,
    duplicate_id,
    failing_template,
    few_examples,
    foreign_notation,
    generic_trigger,
    identical_variants,
    idle_condition,
    invalid_regex,
    literal_secret,
    lookalike,
    loose_number,
    misplaced_example,
    missing_prompt,
    near_persona_key,
    no_confidence,
    no_final_answer,
    own_words,
    repeated_example,
    required_settings,
    same_trigger,
    stolen_trigger,
    timeouts,
    uncovered_hours,
    unknown_kind,
    unknown_model,
    unknown_reply,
    unknown_step,
    unknown_tag,
    unknown_timezone,
    unknown_variable,
    unreachable_reply,
    unreachable_step,
    unread_template,
    unused_part,
    written_fact,
    wrong_example,
)
from engine.validation.subject import Subject


class Check(Protocol):
    """What the module of a check offers beside the codes that it declares."""

    def check(self, subject: Subject, /) -> Iterator[Problem]: ...


ESSENTIAL: Sequence[Check] = (
    duplicate_id,
    unknown_step,
    backward_jump,
    unknown_model,
    unknown_reply,
    unknown_tag,
    unknown_kind,
    missing_prompt,
    required_settings,
    unknown_variable,
    unknown_timezone,
    broken_condition,
    broken_template,
    invalid_regex,
)

BEHAVIOUR: Sequence[Check] = (
    near_persona_key,
    unreachable_step,
    no_final_answer,
    unreachable_reply,
    idle_condition,
    own_words,
    unused_part,
    timeouts,
    no_confidence,
    identical_variants,
    literal_secret,
    loose_number,
    written_fact,
    repeated_example,
    few_examples,
    failing_template,
    unread_template,
    lookalike,
    foreign_notation,
)

OF_TRIGGERS: Sequence[Check] = (stolen_trigger, same_trigger, wrong_example, generic_trigger, uncovered_hours)
"""Those that search the index, which takes most of the time to build."""

OF_KINDS: Sequence[Check] = (misplaced_example,)
"""Those that learn kinds."""

ALL: Sequence[Check] = (*ESSENTIAL, *BEHAVIOUR, *OF_TRIGGERS, *OF_KINDS)


def run(checks: Iterable[Check], subject: Subject) -> list[Problem]:
    """The problems that `checks` find, sorted by place."""
    return sorted(
        (problem for check in checks for problem in check.check(subject)), key=lambda problem: problem.sort_key
    )
