"""The rules that look across files, one module each, and the tables that say which run when.

`essential_problems` is what every load runs: an error there means that the plan cannot be built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.model.source import Problem
from engine.model.spec import PipelineSpec

Check = Callable[[PipelineSpec], Iterator[Problem]]

ESSENTIAL: tuple[Check, ...] = ()


def essential_problems(spec: PipelineSpec) -> list[Problem]:
    """Errors in references, conditions and templates."""
    return [problem for check in ESSENTIAL for problem in check(spec)]
