"""Cleans what a turn brings before a prompt's template may print it. Knows neither models nor their vocabularies.

Everything is untrusted but the names in `TRUSTED`, so that a name that is added later is cleaned without being told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from engine.core.lazy import LazyMapping
from engine.text.cleaning import clean
from engine.text.marks import Marks, unlabelled

TRUSTED: Final = frozenset({"persona", "now", "env"})
"""The names whose values an editor, an operator or the clock has written."""

_MARKS = Marks()
_SPACES = re.compile(r"\s+")


def without_marks(text: str) -> str:
    """`text` without the control tokens that models share; a local model's own are taken out beside its vocabulary."""
    return _MARKS.blanked(text)


def for_prompt(names: LazyMapping, labels: Collection[str]) -> LazyMapping:
    """`names` for a prompt's template: each text that is not `TRUSTED`, however deep it lies, is one clean line, in
    which none of the speakers' `labels` has a colon behind it.
    """
    trusted = {name: names[name] for name in TRUSTED if name in names}
    return LazyMapping(trusted, {name: _later(names, name, labels) for name in names if name not in TRUSTED})


def _later(names: LazyMapping, name: str, labels: Collection[str]) -> Callable[[], Any]:
    return lambda: _cleaned(names[name], labels)


def _cleaned(value: Any, labels: Collection[str]) -> Any:
    if isinstance(value, str):
        return unlabelled(_SPACES.sub(" ", without_marks(clean(value))), labels)
    if isinstance(value, Mapping):
        return {_cleaned(key, labels): _cleaned(item, labels) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cleaned(item, labels) for item in value)
    return value
