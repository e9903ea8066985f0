"""Brings the catalogues of translations up to date with the sentences in the code, and compiles them.

    python -m tools.catalogue

A sentence is the first argument of `phrase`, `tell` or `joined`, the `help` of an option, what a page says by `t`, or
what a schema expects. New ones come into `engine/locale/ja/LC_MESSAGES/misaki.po` without a translation, and are
listed; what nobody says any more goes. Tests compare the catalogues with what this would write, and fail where a
translation is missing.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from engine.core.language import DOMAIN, LANGUAGES, LOCALE
from engine.pipeline.schema.shape import schema_of
from engine.validation.file_kinds import KINDS

ROOT = Path(__file__).resolve().parent.parent
_CALLS = frozenset({"phrase", "joined", "tell"})
_OPTIONS = frozenset({"help", "description"})
_EXPECTED = frozenset({"errorMessage", "patternErrorMessage"})
OF_ARGPARSE = (
    "usage: ",
    "positional arguments",
    "options",
    "show this help message and exit",
    "show program's version number and exit",
    "the following arguments are required: %s",
    "unrecognized arguments: %s",
    "argument %(argument_name)s: %(message)s",
    "expected one argument",
    "invalid choice: %(value)r (choose from %(choices)s)",
    "not allowed with argument %s",
    "%(prog)s: error: %(message)s\n",
)
"""What the library of the command line says by itself."""


def sentences() -> dict[str, set[str]]:
    """Every sentence of the code with the files that say it."""
    found: dict[str, set[str]] = {sentence: {"argparse"} for sentence in OF_ARGPARSE}
    for path in sorted((ROOT / "engine").rglob("*.py")):
        for sentence in _in_code(ast.parse(path.read_text("utf-8"))):
            found.setdefault(sentence, set()).add(path.relative_to(ROOT).as_posix())
    for path in sorted((ROOT / "engine").rglob("*.j2")):
        for sentence in re.findall(r'\bt\("([^"]*)"', path.read_text("utf-8")):
            found.setdefault(sentence, set()).add(path.relative_to(ROOT).as_posix())
    for kind in KINDS:
        for sentence in _expected(schema_of(kind)):
            for part in (sentence, sentence.partition(" that is not blank")[0].partition(", found")[0]):
                found.setdefault(part, set()).add(f"engine/pipeline/schema/{kind}.schema.json")
    return found


def _in_code(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in _CALLS:
            yield from _text(node.args[0])
        yield from (text for given in node.keywords if given.arg in _OPTIONS for text in _text(given.value))


def _text(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value


def _expected(part: Any) -> Iterator[str]:
    """What the schema `part` says that it expects."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield from [value] if key in _EXPECTED else _expected(value)
    elif isinstance(part, list):
        for value in part:
            yield from _expected(value)


def written(language: str) -> tuple[str, bytes]:
    """The catalogue of `language`, as text and compiled."""
    path = Path(LOCALE) / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    known = read_po(BytesIO(path.read_bytes())) if path.exists() else Catalog()
    made = _empty(language)
    for sentence, files in sorted(sentences().items()):
        before = known.get(sentence)
        made.add(sentence, before.string if before else "", locations=[(file, None) for file in sorted(files)])
    text, compiled = BytesIO(), BytesIO()
    write_po(text, made, width=120, omit_header=True, include_lineno=False)
    write_mo(compiled, made)
    return text.getvalue().decode("utf-8"), compiled.getvalue()


def _empty(language: str) -> Catalog:
    """A catalogue whose header says nothing of when it was made, and by what."""
    never = datetime(2000, 1, 1, tzinfo=UTC)
    made = Catalog(locale=language, project=DOMAIN, creation_date=never, revision_date=never, fuzzy=False)
    made.mime_headers = [("Content-Type", "text/plain; charset=utf-8")]
    return made


def main() -> int:
    missing = 0
    for language in LANGUAGES:
        if language == "en":
            continue
        text, compiled = written(language)
        folder = Path(LOCALE) / language / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{DOMAIN}.po").write_text(text, "utf-8")
        (folder / f"{DOMAIN}.mo").write_bytes(compiled)
        lacking = [message.id for message in read_po(BytesIO(text.encode())) if message.id and not message.string]
        missing += len(lacking)
        for sentence in lacking:
            print(f"{language}: no translation of: {sentence}")
    return int(missing > 0)


if __name__ == "__main__":
    sys.exit(main())
