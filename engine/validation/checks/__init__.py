"""The rules that no schema can state: what refers to what, what templates say, how replies behave.

A check is a function that takes a `Subject` and yields problems of the codes that its module declares; the tables here
are the whole list. The essential ones find everything that would keep a pipeline from being built or from running, and
are cheap enough for every load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from engine.core.source import Problem
from engine.validation.checks import (
    broken_conditions,
    broken_templates,
    contested,
    idle_conditions,
    kinds_of_sentences,
    memories,
    notation,
    references,
    tried_templates,
    uncovered_hours,
    unreached,
    wordings,
    written_facts,
    wrong_examples,
    wrong_settings,
)
from engine.validation.subject import Subject

Check = Callable[[Subject], Iterator[Problem]]

ESSENTIAL: Sequence[Check] = (
    references.duplicate_ids,
    references.unknown_steps,
    references.backward_jumps,
    references.unknown_models,
    references.unknown_replies,
    references.unknown_tags,
    references.unknown_kinds,
    memories.unknown_memories,
    unreached.missing_prompts,
    wrong_settings.missing_settings,
    wrong_settings.unknown_variables,
    wrong_settings.unknown_timezone,
    broken_conditions.broken_conditions,
    broken_templates.broken_templates,
    wordings.invalid_regexes,
    broken_templates.missing_captures,
)

BEHAVIOUR: Sequence[Check] = (
    wrong_settings.near_persona_keys,
    unreached.unreachable_steps,
    unreached.no_final_answer,
    unreached.unreachable_replies,
    idle_conditions.idle_conditions,
    wrong_settings.idle_mask,
    wordings.own_words,
    unreached.unused_models,
    memories.idle_memories,
    wrong_settings.timeouts,
    wrong_settings.unknown_confidence,
    wordings.identical_variants,
    wrong_settings.literal_secrets,
    written_facts.loose_numbers,
    written_facts.written_facts,
    kinds_of_sentences.repeated_examples,
    kinds_of_sentences.few_examples,
    tried_templates.failing_templates,
    tried_templates.unread_templates,
    notation.lookalikes,
    notation.foreign_notations,
)

OF_TRIGGERS: Sequence[Check] = (
    contested.stolen_triggers,
    contested.same_triggers,
    wrong_examples.wrong_examples,
    wordings.generic_triggers,
    uncovered_hours.uncovered_hours,
)
"""Those that search the index, which takes most of the time to build."""

OF_KINDS: Sequence[Check] = (kinds_of_sentences.misplaced_examples,)
"""Those that learn kinds."""

ALL: Sequence[Check] = (*ESSENTIAL, *BEHAVIOUR, *OF_TRIGGERS, *OF_KINDS)


def run(checks: Iterable[Check], subject: Subject) -> list[Problem]:
    """The problems that `checks` find, sorted by place."""
    return sorted((problem for check in checks for problem in check(subject)), key=lambda problem: problem.sort_key)
