"""Advises what to write instead of a word or a value that does not fit.

It gives hints alone: what was found and what was expected is for `engine.pipeline.schema.messages` to say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from rapidfuzz.distance import OSA

from engine.core.language import phrase
from engine.core.node import MappingNode, Node, ScalarNode, SequenceNode
from engine.pipeline.reading.files import PIPELINES, shortened
from engine.pipeline.reading.slips import DASHES

ALIKE = 0.6
"""Least similarity of two words, unless they are one edit apart."""


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """The word of `allowed` that `word` is probably a misspelling of; ties go to the first."""
    best: tuple[float, str] | None = None
    word = unicodedata.normalize("NFKC", word)
    for candidate in allowed:
        edits = OSA.distance(word, candidate)
        alike = OSA.normalized_similarity(word, candidate)
        if edits <= 1 or alike >= ALIKE:
            rank = 2.0 - edits / 100 if edits <= 1 else alike
            if best is None or rank > best[0]:
                best = (rank, candidate)
    return best[1] if best else None


def hint(word: str, allowed: Collection[str]) -> str:
    """Suggests the nearest allowed word instead of `word`, or names all of them."""
    close = nearest(word, allowed)
    if close is not None:
        return phrase("did you mean `{close}`?", close=close)
    names = ", ".join(f"`{name}`" for name in allowed)
    return phrase("known: {names}", names=names) if 0 < len(allowed) <= 20 else ""


def pipelines_in(folder: Path) -> list[Path]:
    """The files in `folder` that may be pipelines, by their names."""
    return sorted(file for file in folder.glob("*.y*ml") if not file.stem.endswith(".golden"))


def pipeline_meant(path: Path) -> Path | None:
    """The pipeline that `path`, which is no file, probably names: without its ending or its folder, or misspelt."""
    there = {file.stem: file for folder in (PIPELINES, path.parent) for file in pipelines_in(folder)}
    close = nearest(path.stem, there)
    return None if close is None else there[close]


_NUMBER = re.compile(r"\D*?(-?[0-9]+(?:[.,][0-9]+)?)\D*", re.ASCII)
_AMOUNT = re.compile(r"([0-9]+(?:[.,][0-9]+)?) ?(\D*)", re.ASCII)
_DAY = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?[ T]*([0-9]{1,2})[:時]([0-9]{2})?分?", re.ASCII)
_GLUED = re.compile(r"([A-Za-z_]+)[:：=＝] *(.+)")
_SECONDS = {
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds", "秒", "秒間"), (1, "s")),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds", "ミリ秒"), (1, "ms")),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "分", "分間"), (60, "s")),
}
"""How people write units, with the factor and the unit that is read here."""


def type_hint(  # noqa: C901, PLR0911 - one return for each kind of mix-up
    kinds: list[str], node: Node, *, in_list: bool, limit: float | None
) -> str:
    """Advises on a value of another type than `kinds`; `limit` is the number below which it must stay."""
    match node:
        case ScalarNode(value=None) if in_list:
            return phrase("write something after `- `, or remove it")
        case ScalarNode(value=None) if kinds == ["array"]:
            return phrase("write its items below, each on its own line after `- `, or remove the key")
        case ScalarNode(value=None):
            return phrase("write a value after the colon, or remove the key")
        case ScalarNode(value=bool() | int() | float(), source=source) if "string" in kinds or "object" in kinds:
            return phrase('write "{text}" when it is meant as text', text=source)
        case ScalarNode(value=str(), source=source) if kinds == ["object"] and (glued := _GLUED.fullmatch(source)):
            return phrase("write `{key}: {value}`, with a narrow colon and a space", key=glued[1], value=glued[2])
        case ScalarNode(value=str(), source=source) if {"integer", "number"} & set(kinds):
            return _number(source, of_one=limit == 1)
        case ScalarNode(source=source) if kinds == ["array"]:
            return _list(source)
        case MappingNode() if kinds == ["array"]:
            return phrase("begin each item on its own line with `- `: a hyphen and a space")
        case MappingNode(entries=entries) if "string" in kinds and len(entries) == 1:
            return phrase("put a text that holds `: ` or begins with `{` in quotes")
        case SequenceNode() if "object" in kinds and in_list:
            return phrase("write the items of the inner list as items of the outer one")
        case SequenceNode() if "string" in kinds:
            return phrase("write one text; put a text that begins with `[` in quotes")
        case _:
            return ""


def form_hint(expected: str, source: str) -> str:
    """Advises on a text that has not the form which the schema's words `expected` name."""
    if "${" in source:
        return _reference(source)
    return next((advise(source) for words, advise in _FORMS.items() if words in expected), "")


def bound_hint(keyword: str, limit: Any, value: Any) -> str:
    """Advises on a value outside of a bound: shares and percentages are mixed up most often."""
    if keyword == "minItems":
        return phrase("write an item, or remove the key")
    if keyword == "maxProperties":
        return phrase("write each as an item of its own, after `- `")
    if keyword == "minimum" and limit == 1 and isinstance(value, float) and 0 < value < 1:
        return phrase("write {number:g}", number=value * 100)
    if keyword in ("maximum", "exclusiveMaximum") and limit == 1 and 1 < value <= 100:
        return phrase("write {number:g}", number=value / 100)
    return ""


def _list(source: str) -> str:
    if re.match(rf"[-{DASHES}](?! )|[{DASHES}*+] |[0-9０-９]+[.．)）] ?", source):
        return phrase("begin each item on its own line with `- `: a hyphen and a space")
    if source.startswith(("［", "【")):
        return phrase("write `[`, `, ` and `]`, which are narrow")
    return phrase("write [{text}], or each item on its own line after `- `", text=shortened(source))


def _number(source: str, *, of_one: bool = False) -> str:
    """The number that `source` holds, as a part `of_one` where it is in per cent."""
    text = unicodedata.normalize("NFKC", source)
    found = _NUMBER.fullmatch(text)
    if found is None:
        return phrase("write a number in digits")
    meant = found[1].replace(",", ".")
    if of_one and "%" in text:
        meant = f"{float(meant) / 100:g}"
    if meant == source:
        return phrase("write {number} without quotes", number=meant)
    return phrase("write {number}", number=meant)


def _time(source: str) -> str:
    found = _AMOUNT.fullmatch(unicodedata.normalize("NFKC", source).lower())
    factor, unit = _SECONDS.get(found[2], (0, "")) if found else (0, "")
    if found is None or not factor:
        return phrase("write a number with `s` or `ms`")
    return phrase("write `{number:g}{unit}`", number=float(found[1].replace(",", ".")) * factor, unit=unit)


def _day(source: str) -> str:
    found = _DAY.fullmatch(unicodedata.normalize("NFKC", source))
    if found is None:
        return ""
    names = ("year", "month", "day", "hour", "minute")
    parts = {name: int(part or 0) for name, part in zip(names, found.groups(), strict=True)}
    return phrase('write "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"', **parts)


def _name(source: str) -> str:
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in source.lower()).strip("_")
    return phrase("write `{name}`", name=name) if name[:1].isalpha() else phrase("write a name such as `greet_evening`")


def _reference(source: str) -> str:
    inner = source[source.index("${") + 2 :].split("}", maxsplit=1)[0]
    name = inner.split(":")[0]
    if name != name.upper():
        return phrase("write the variable in capitals: ${{{name}}}", name=name.upper())
    return phrase("write ${NAME:default}, where NAME is in capitals and default holds no braces")


_FORMS: Mapping[str, Callable[[str], str]] = {
    "expected a time ": _time,
    "expected a day ": _day,
    "small letters": _name,
    "a number": _number,
    "a whole number": _number,
    "a language": lambda source: phrase("write `ja`") if source.lower().startswith(("jp", "ja", "日本")) else "",
}
"""Words of what the schemas expect, with the advice."""
