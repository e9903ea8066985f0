"""The rules that no schema can state, one module each: what refers to what, what templates say, how replies behave.

A check takes a `Subject` and yields problems; the tables here are the whole list. The essential ones find everything
that would keep a pipeline from being built or from running, and are cheap enough for every load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

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

Check = Callable[[Subject], Iterator[Problem]]

ESSENTIAL: Sequence[Check] = (
    duplicate_id.check,
    unknown_step.check,
    backward_jump.check,
    unknown_model.check,
    unknown_reply.check,
    unknown_tag.check,
    unknown_kind.check,
    missing_prompt.check,
    required_settings.check,
    unknown_variable.check,
    unknown_timezone.check,
    broken_condition.check,
    broken_template.check,
    invalid_regex.check,
)

BEHAVIOUR: Sequence[Check] = (
    near_persona_key.check,
    stolen_trigger.check,
    same_trigger.check,
    wrong_example.check,
    unreachable_step.check,
    no_final_answer.check,
    unreachable_reply.check,
    idle_condition.check,
    generic_trigger.check,
    own_words.check,
    unused_part.check,
    uncovered_hours.check,
    timeouts.check,
    no_confidence.check,
    identical_variants.check,
    literal_secret.check,
    loose_number.check,
    written_fact.check,
    repeated_example.check,
    few_examples.check,
    misplaced_example.check,
    failing_template.check,
    unread_template.check,
    lookalike.check,
    foreign_notation.check,
)


def run(checks: Iterable[Check], subject: Subject) -> list[Problem]:
    """The problems that `checks` find, sorted by place."""
    return sorted((problem for check in checks for problem in check(subject)), key=lambda problem: problem.sort_key)
