"""The rules that no schema can state, one module each: what refers to what, what templates say, how replies behave.

A check takes a `Subject` and yields problems of the codes that it declares; the tables here are the whole list. The
essential ones find everything that would keep a pipeline from being built or from running, and are cheap enough for
every load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Protocol, cast

from engine.core.source import Problem
from engine.validation.subject import Subject


class Check(Protocol):
    """What the module of a check offers beside the codes that it declares."""

    def check(self, subject: Subject, /) -> Iterator[Problem]: ...


def _checks(*names: str) -> Sequence[Check]:
    """The modules of these names in this folder."""
    return tuple(cast("Check", import_module(f"{__name__}.{name}")) for name in names)


ESSENTIAL = _checks(
    "duplicate_id",
    "unknown_step",
    "backward_jump",
    "unknown_model",
    "unknown_reply",
    "unknown_tag",
    "unknown_kind",
    "unknown_memory",
    "missing_prompt",
    "required_settings",
    "unknown_variable",
    "unknown_timezone",
    "broken_condition",
    "broken_template",
    "invalid_regex",
    "missing_capture",
)

BEHAVIOUR = _checks(
    "near_persona_key",
    "unreachable_step",
    "no_final_answer",
    "unreachable_reply",
    "idle_condition",
    "idle_mask",
    "own_words",
    "unused_part",
    "idle_memory",
    "timeouts",
    "no_confidence",
    "identical_variants",
    "literal_secret",
    "loose_number",
    "written_fact",
    "repeated_example",
    "few_examples",
    "failing_template",
    "unread_template",
    "lookalike",
    "foreign_notation",
)

OF_TRIGGERS = _checks("stolen_trigger", "same_trigger", "wrong_example", "generic_trigger", "uncovered_hours")
"""Those that search the index, which takes most of the time to build."""

OF_KINDS = _checks("misplaced_example")
"""Those that learn kinds."""

ALL: Sequence[Check] = (*ESSENTIAL, *BEHAVIOUR, *OF_TRIGGERS, *OF_KINDS)


def run(checks: Iterable[Check], subject: Subject) -> list[Problem]:
    """The problems that `checks` find, sorted by place."""
    return sorted(
        (problem for check in checks for problem in check.check(subject)), key=lambda problem: problem.sort_key
    )
