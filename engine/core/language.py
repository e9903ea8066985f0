"""Names the languages in which commands speak to editors, and chooses one: by `MISAKI_LANG`, then by the locale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "en")
_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")


def language_of(env: Mapping[str, str]) -> Language:
    """The language that `MISAKI_LANG` names, or else the first locale that is set; English for all that are neither."""
    named = next((env[name] for name in ("MISAKI_LANG", *_LOCALE) if env.get(name)), "")
    return next((one for one in LANGUAGES if named.lower().startswith(one)), "en")
