"""Chooses the persona's examples that a model should see last: those nearest to what the user says now.

A small model imitates what stands just before its answer more than anything else. All examples stand in the constant
part of the prompt, which is evaluated once; a few of them are shown again at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from rapidfuzz import fuzz

from engine.core.plan import Plan
from engine.core.turn import Exchange
from engine.guardrails.answers import language
from engine.text.normalise import normalise
from engine.text.words import analyse

MOST = 3
_SAME_WORD = 25.0
_SAME_KIND = 30.0
"""What a content word in common, and the same kind of sentence, add to a likeness of at most 20."""
_LIKENESS = 0.2
_CONTENT = frozenset({"名詞", "動詞", "形容詞", "形状詞", "英語"})
_KEPT = 2048


def nearest(plan: Plan, text: str) -> tuple[Exchange, ...]:
    """Up to `MOST` examples in the language of `text`, the nearest one at the end."""
    spoken, kinds = language(text), plan.kinds
    kind = None if kinds is None else _kind(kinds.chances, text)
    words, said = _words(text), normalise(text)

    def likeness(example: Exchange) -> float:
        same = len(words & _words(example.user)) * _SAME_WORD
        kindred = _SAME_KIND if kinds is not None and kind == _kind(kinds.chances, example.user) else 0.0
        return same + kindred + _LIKENESS * fuzz.ratio(said, normalise(example.user))

    spoken_alike = [one for one in plan.persona.examples if language(one.user) in {spoken, None} or spoken is None]
    return tuple(sorted(spoken_alike, key=likeness)[-MOST:])


@lru_cache(maxsize=_KEPT)
def _kind(chances: Callable[[str], Mapping[str, float]], text: str) -> str | None:
    return next(iter(chances(text)), None)


@lru_cache(maxsize=_KEPT)
def _words(text: str) -> frozenset[str]:
    return frozenset(word.form for word in analyse(text) if word.tags[0] in _CONTENT)
