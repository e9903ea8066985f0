"""Every sentence has a translation that says the same, and what is shipped is what stands in the code."""

from __future__ import annotations

import ast
import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from engine.core.language import DOMAIN, LANGUAGES, LOCALE
from tools.catalogue import ROOT, sentences, written

TRANSLATED = [language for language in LANGUAGES if language != "en"]
_FIELD = re.compile(r"(?<!\{)(?:\{\{)*\{(\w+)(?:[:!][^{}]*)?\}|%\((\w+)\)|%s")


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalogue_is_up_to_date(language):
    """`python -m tools.catalogue` writes it."""
    text, compiled = written(language)
    file = Path(LOCALE) / language / "LC_MESSAGES" / DOMAIN
    assert file.with_suffix(".po").read_text("utf-8") == text
    assert _messages(read_mo(BytesIO(file.with_suffix(".mo").read_bytes()))) == _messages(read_mo(BytesIO(compiled)))


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_with_its_fields(language):
    known = _messages(read_po(BytesIO(written(language)[0].encode())))
    assert set(known) == set(sentences())
    for sentence, translation in known.items():
        assert translation.strip(), f"no translation of: {sentence}"
        assert _fields(translation) == _fields(sentence), sentence


def test_japanese_is_japanese():
    """But for what is nothing but names and signs."""
    known = _messages(read_po(BytesIO(written("ja")[0].encode())))
    for sentence, translation in known.items():
        bare = re.sub(r"`[^`]*`|\{[^{}]*\}|%\(\w+\)\w", "", translation)
        assert re.search("[ぁ-んァ-ヶ一-龠]", bare) or not re.search("[A-Za-z]{3,}", bare), sentence


MAKERS = ("engine/validation", "engine/pipeline/reading", "engine/pipeline/schema", "engine/expressions/parse.py")


def test_what_editors_read_is_a_phrase():
    """Never an f-string, which nobody could translate: in what is given to problems, and in what is called so."""
    for path in (path for name in MAKERS for path in [ROOT / name, *(ROOT / name).rglob("*.py")] if path.is_file()):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for part in _shown(node):
                assert not isinstance(part, ast.JoinedStr), f"{path}:{part.lineno}: {ast.unparse(part)}"


def _shown(node):
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        if node.targets[0].id in ("message", "hint", "advice"):
            yield node.value
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("roblem", "ConditionError")):
        yield from (part for part in node.args)
        yield from (part.value for part in node.keywords if part.arg in ("message", "hint"))


def _messages(catalogue):
    return {message.id: message.string for message in catalogue if message.id}


def _fields(text):
    return sorted({found[1] or found[2] or found[0] for found in _FIELD.finditer(text)})
