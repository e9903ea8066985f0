"""Lists the names that templates and conditions may use; others are mistakes, found at build time.

Attributes are listed where they are fixed, and open where an editor's or a client's own data begins.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Union

from engine.core.language import phrase
from engine.core.record import field, record

NOW = frozenset({"year", "month", "day", "hour", "minute", "weekday"})
TURN = frozenset({"number", "exact"})
SESSION = frozenset({"id", "turns", "offered", "said"})
LAST = frozenset({"reply_id", "engine", "kind", "text", "user", "offered"})
WORDS = frozenset({"topic"})
VISITOR = frozenset({"visits", "days_away", "signed_in", "name"})
KIND = frozenset({"name", "sure", "second"})
OUTPUT = frozenset({"text", "finish_reason", "tokens", "confidence", "seconds"})
RENAMED = {"user": "client"}
"""Names as they were once called, and are called now."""
OF_OTHERS = {"char": ("persona", "name"), "user": ("visitor", "name")}
"""Whole names of other tools, with ours."""

DECLARED = {
    "kind": phrase("teach kinds first: list files of examples under `kinds:` of the pipeline"),
    "memory": phrase("say under `memory:` of the pipeline first what may be remembered"),
}
"""Names that only some pipelines have, with what brings them."""

OPEN = None
"""Attributes that cannot be known before a turn, such as those of `client`."""


Attributes = Union[Collection[str], Mapping[str, "Attributes"], None]


@record(kw_only=False)
class Scope:
    """Names with their attributes: a collection is closed, a mapping nests them, `OPEN` allows any."""

    names: Mapping[str, Attributes] = field(default_factory=dict)

    def allows(self, path: tuple[str, ...]) -> bool:
        attributes: Attributes = self.names
        for part in path:
            if attributes is OPEN:
                return True
            if part not in attributes:
                return False
            attributes = attributes[part] if isinstance(attributes, Mapping) else ()
        return True

    def remedy(self, path: tuple[str, ...]) -> str:
        """Advises what to write instead of the unknown name `path`."""
        if path[0] in DECLARED and path[0] not in self.names:
            return DECLARED[path[0]]
        if len(path) == 1 and self.allows(OF_OTHERS.get(path[0], path)):
            return phrase("did you mean `{close}`?", close=".".join(OF_OTHERS[path[0]]))
        if path[0] in RENAMED:
            return phrase("did you mean `{close}`?", close=".".join((RENAMED[path[0]], *path[1:])))
        every = phrase("known names: {names}", names=", ".join(sorted(self.names)))
        return meant(".".join(path), self.spellings(), every)

    def spellings(self) -> list[str]:
        """Every name and dotted path that can be suggested."""
        return sorted(_spellings(self.names))


def meant(word: str, known: Iterable[str], otherwise: str) -> str:
    """Suggests the one of the `known` words that is close to `word`; where none is, gives `otherwise`."""
    close = difflib.get_close_matches(word, known, n=1)
    return phrase("did you mean `{close}`?", close=close[0]) if close else otherwise


def _spellings(attributes: Attributes, before: str = "") -> Iterator[str]:
    for name in attributes or ():
        yield before + name
        if isinstance(attributes, Mapping):
            yield from _spellings(attributes[name], f"{before}{name}.")


def condition_scope(
    env: Collection[str], variables: Collection[str], kinds: Collection[str] = (), memory: Collection[str] = ()
) -> Scope:
    """The names for `when` and `set`; `kind` and `memory` only where the pipeline has some."""
    kind = {name: frozenset[str]() for name in KIND} | {"chance": frozenset(kinds)}
    return Scope(
        {
            **({"kind": kind} if kinds else {}),
            **({"memory": frozenset(memory)} if memory else {}),
            "text": frozenset(),
            "turn": TURN,
            "session": SESSION,
            "last": LAST,
            "topic": frozenset(),
            "words": WORDS,
            "client": OPEN,
            "visitor": VISITOR,
            "now": NOW,
            "env": frozenset(env),
            "vars": frozenset(variables),
            "escalated": OPEN,
        }
    )


def detector_scope(conditions: Scope) -> Scope:
    """The names for an `if` of `escalate_when`: a condition's, and the model's output."""
    return Scope({**conditions.names, "output": OUTPUT, "error": frozenset()})


def template_scope(conditions: Scope, persona: Mapping[str, Any]) -> Scope:
    """The names for templates: a condition's, the persona's data, and what a reply's own regexes capture."""
    return Scope({**conditions.names, "persona": _levels(persona), "captured": OPEN})


def _levels(data: Any) -> Attributes:
    return {key: _levels(value) for key, value in data.items()} if isinstance(data, Mapping) else ()
