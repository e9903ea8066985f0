"""Every problem code and its page: what it means, why it matters, what to write instead.

Each check declares its own; the table here has those of reading files and of their shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from engine.core.language import Language
from engine.core.source import Code
from engine.validation.checks import ALL

_READING = (
    Code("P101", "the file is not valid YAML"),
    Code("P102", "a tab or a wide space stands in the indentation"),
    Code("P103", "a key stands twice"),
    Code("P104", "a file cannot be read"),
    Code("P105", "a file is not UTF-8"),
    Code("P106", "a character that no text may hold"),
    Code("P107", "a tag"),
    Code("P108", "an alias that is not allowed"),
    Code("P109", "a file is too large or too deep"),
    Code("P110", "a word that YAML versions read differently"),
    Code("P111", "a second document in one file"),
    Code("P112", "an empty file"),
    Code("P113", "a key that is not a word"),
    Code("P114", "an item that became a part of the text above it"),
    Code("P115", "words that are read as a comment", heuristic=True),
    Code("P201", "a missing key"),
    Code("P202", "a value of the wrong type"),
    Code("P204", "a value out of bounds"),
    Code("P205", "a word that is not one of the known words"),
    Code("P206", "a value of the wrong form"),
    Code("P207", "a time that cannot be read"),
    Code("P208", "`${…}` where it is not read"),
    Code("P210", "keys that exclude or need each other"),
    Code("P301", "no file matches"),
    Code("P302", "a file that is neither a pipeline, replies, kinds nor a golden"),
    Code("P312", "a file outside of the project"),
    Code("P512", "a file that no pipeline uses"),
)

_OF_CHECKS = (value for check in ALL for value in check.__globals__.values() if isinstance(value, Code))

CODES: Mapping[str, Code] = {code.name: code for code in sorted((*_READING, *_OF_CHECKS), key=lambda code: code.name)}


def page(code: str, language: Language = "en") -> str:
    """The page of `code`, in Markdown; raises `KeyError` for an unknown code."""
    if code not in CODES:
        raise KeyError(code)
    folder = files("engine.validation") / "pages" / ("" if language == "en" else language)
    return (folder / f"{code}.md").read_text("utf-8")
