"""The languages in which commands speak to editors, and sentences that are said in each of them.

Sentences stand in the code in English, as format strings with named fields: `phrase("no file at `{path}`", path=…)` is
an ordinary text, which remembers both. Their translations are gettext catalogues in `engine/locale`, written by
`python -m tools.catalogue`; they are read when the first sentence is said in another language, so a turn reads none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any, Literal

Language = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "en")
LOCALE = f"{__file__.rpartition('core')[0]}locale"
"""The folder of the catalogues, as a text: importing pathlib would delay the first canned reply."""
DOMAIN = "misaki"
_VARIABLES = ("MISAKI_LANG", "LC_ALL", "LC_MESSAGES", "LANG")

spoken: ContextVar[Language] = ContextVar("spoken", default="en")
"""The language of the command that runs."""


def language_of(env: Mapping[str, str]) -> Language:
    """The language that `MISAKI_LANG` names, or else the first locale that is set; English for all that are neither."""
    named = next((env[name] for name in _VARIABLES if env.get(name)), "")
    return next((one for one in LANGUAGES if named.lower().startswith(one)), "en")


class Phrase(str):
    """A sentence in English that can be said in other languages: its `template` and its `fields`."""

    __slots__ = ("fields", "template")
    template: str
    fields: Mapping[str, object]

    def __str__(self) -> str:
        """The phrase itself, so that it survives as the message of an exception."""
        return self


def phrase(template: str, /, **fields: object) -> Phrase:
    """The sentence of a template, a format string where it has fields; a field may be a phrase by itself."""
    made = Phrase(template.format(**fields) if fields else template)
    made.template, made.fields = template, fields
    return made


def joined(joint: str, parts: Iterable[str]) -> str:
    """`parts` in a row, such as those between whose neighbours `{before} and {after}` stands; empty where none is."""
    first, *others = [*parts] or [""]
    for part in others:
        first = phrase(joint, before=first, after=part)
    return first


def said(text: str, language: Language | None = None) -> str:
    """`text` in `language`, that of the command where none is given; what is no phrase stays as it is."""
    language = language or spoken.get()
    if language == "en" or not isinstance(text, Phrase):
        return text
    template = _catalogue(language)(text.template)
    if not text.fields:
        return template
    fields: dict[str, Any] = {
        name: said(one, language) if isinstance(one, str) else one for name, one in text.fields.items()
    }
    return template.format(**fields)


def tell(template: str, /, **fields: object) -> str:
    """The sentence of a template in the language of the command."""
    return said(phrase(template, **fields))


@cache
def _catalogue(language: Language) -> Callable[[str], str]:
    """Translates templates; those that nobody has translated stay in English."""
    import gettext  # noqa: PLC0415  a turn says nothing in other languages

    return gettext.translation(DOMAIN, LOCALE, [language], fallback=True).gettext
