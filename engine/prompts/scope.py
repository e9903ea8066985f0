"""The closed set of names that templates and conditions may use; anything else is a mistake found at build time.

Attributes are listed where they are fixed, and open where an editor's or a client's own data begins.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

NOW = frozenset({"year", "month", "day", "hour", "minute", "weekday"})
TURN = frozenset({"number"})
SESSION = frozenset({"id", "turns"})
OUTPUT = frozenset({"text", "finish_reason", "tokens", "confidence", "seconds"})
OPEN = None
"""Attributes that cannot be known before a turn, such as those of `user`."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Names with their first attributes: a set is closed, `OPEN` allows any, an empty set allows none."""

    names: Mapping[str, Collection[str] | None] = field(default_factory=dict)

    def allows(self, path: tuple[str, ...]) -> bool:
        if path[0] not in self.names:
            return False
        attributes = self.names[path[0]]
        if attributes is OPEN or len(path) == 1:
            return True
        return path[1] in attributes

    def spellings(self) -> list[str]:
        """Every name and dotted path that can be suggested."""
        found = list(self.names)
        for name, attributes in self.names.items():
            found.extend(f"{name}.{attribute}" for attribute in attributes or ())
        return sorted(found)


def condition_scope(env: Collection[str], variables: Collection[str]) -> Scope:
    """What `when` and the values of a `set` step see."""
    return Scope(
        {
            "text": frozenset(),
            "turn": TURN,
            "session": SESSION,
            "user": OPEN,
            "now": NOW,
            "env": frozenset(env),
            "vars": frozenset(variables),
        }
    )


def detector_scope(env: Collection[str], variables: Collection[str]) -> Scope:
    """What an `if` of `escalate_when` sees: a condition's names, and the model's output."""
    return Scope({**condition_scope(env, variables).names, "output": OUTPUT, "error": frozenset()})


def template_scope(env: Collection[str], variables: Collection[str], persona: Collection[str]) -> Scope:
    """What replies and prompts see; `persona` are the keys of its data."""
    return Scope({**condition_scope(env, variables).names, "persona": frozenset(persona)})
