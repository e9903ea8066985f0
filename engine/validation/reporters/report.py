"""What a validation came to: the problems with their counts, before anyone decides how to show them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.source import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Problems sorted by place; `files` and `replies` were looked at, in `seconds`."""

    problems: tuple[Problem, ...]
    files: int
    replies: int
    seconds: float

    @property
    def errors(self) -> int:
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def warnings(self) -> int:
        return len(self.problems) - self.errors
