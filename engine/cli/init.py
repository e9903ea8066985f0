"""`misaki init`: writes a folder with a bot that validates, passes its goldens and talks, for an editor to begin from.

The bot's files are templates in `starter`, one folder a language, in which marks between `@` stand for the names.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from engine.cli.env_file import Usage
from engine.core.language import LANGUAGES, Language, phrase, said, spoken, tell
from engine.pipeline.schema.shape import schema_of
from engine.validation.file_kinds import KINDS

T = TypeVar("T")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_LONGEST_PERSONA = 40
_PERSONAS: Mapping[Language, str] = {"en": "Hana", "ja": "ハナ"}
"""What a bot is called where nobody says."""

_FILES: Mapping[str, str] = {
    "pipeline.yml": "pipelines/@NAME@.yml",
    "prompt.j2": "pipelines/prompts/@NAME@.j2",
    "care.yml": "replies/care.yml",
    "talk.yml": "replies/talk.yml",
    "about.yml": "replies/about.yml",
    "listening.yml": "replies/listening.yml",
    "golden.yml": "golden/first_talk.golden.yml",
    "env.example": ".env.example",
    "README.md": "README.md",
}
_COMMON: Mapping[str, str] = {
    "gitignore.txt": ".gitignore",
    "settings.json": ".vscode/settings.json",
    "extensions.json": ".vscode/extensions.json",
}
"""Templates by where they go. Their names begin with no dot, since packaging leaves hidden files out."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the new folder: small letters, digits and `_`")
    parser.add_argument("--lang", choices=LANGUAGES, help="the language that the bot speaks (default: asks, or locale)")
    parser.add_argument("--persona", metavar="NAME", help="what the bot is called (default: asks)")


def run(arguments: argparse.Namespace) -> int:
    """Writes the folder, or nothing where it cannot be written whole."""
    language = spoken.get()
    name = _checked_name(arguments.name)
    folder = Path(name)
    _refuse_existing(folder)
    persona = None if arguments.persona is None else checked_persona(arguments.persona)
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if arguments.lang is None and on_terminal:
        language = _ask(f"日本語: ja / English: en [{language}] ", language, _checked_language)
        spoken.set(language)
    if persona is None:
        persona = _PERSONAS[language]
        if on_terminal:
            question = tell("What is the bot called? [{name}] ", name=persona)
            persona = _ask(question, persona, checked_persona)
    _write_whole(folder, bot_files(name, persona, language))
    print(
        tell(
            """`{name}` holds {persona}. Next:
  cd {name}
  misaki chat        talk in the terminal
  misaki validate    look for mistakes
  misaki test        play the golden conversations
  misaki serve       answer on http://127.0.0.1:9000
What is said stands in `replies/`.""",
            name=name,
            persona=persona,
        )
    )
    return 0


def bot_files(name: str, persona: str, language: Language) -> Iterator[tuple[str, str]]:
    """Each file of a new bot: its path in the folder, and its text."""
    starter = files("engine.cli") / "starter"
    sources = ((language, _FILES), ("common", _COMMON))
    texts = {
        target: (starter / source / template).read_text("utf-8")
        for source, table in sources
        for template, target in table.items()
    }
    # A name that the replies themselves use, as AI, is no mere address: without it their triggers would be others.
    is_word = re.compile(rf"(?<![a-z]){re.escape(persona)}(?![a-z])", re.IGNORECASE)
    quoted = json.dumps(persona, ensure_ascii=False)
    address = "" if any(is_word.search(text) for text in texts.values()) else quoted
    for target, text in texts.items():
        shown = persona if target == "README.md" else quoted[1:-1]
        filled = text.replace("@NAME@", name).replace("@ADDRESS@", address).replace("@PERSONA@", shown)
        yield target.replace("@NAME@", name), filled
    for kind in KINDS:
        schema = json.dumps(schema_of(kind), ensure_ascii=False, indent=2)
        yield f".vscode/schemas/{kind}.schema.json", f"{schema}\n"


def checked_persona(text: str) -> str:
    """The persona's name, its blanks made single spaces.

    Raises:
        Usage: it is empty, too long, or holds what YAML or a template would take for something else.
    """
    persona = " ".join(text.split())
    if not persona:
        raise Usage(phrase("the persona's name is empty: give one, as --persona Hana"))
    if len(persona) > _LONGEST_PERSONA:
        raise Usage(
            phrase(
                "the persona's name has {length} characters: expected {longest} at most",
                length=len(persona),
                longest=_LONGEST_PERSONA,
            )
        )
    bad = next((sign for sign in persona if sign in "{}$<>|`" or not sign.isprintable()), None)
    if bad is not None:
        raise Usage(
            phrase(
                "the persona's name holds {sign}, which files of a bot read as something else: leave it out",
                sign=repr(bad),
            )
        )
    if not any(sign.isalnum() for sign in persona):
        raise Usage(
            phrase(
                "the persona's name `{persona}` has no letter: give a name that can be said, as --persona Hana",
                persona=persona,
            )
        )
    return persona


def _checked_name(text: str) -> str:
    if any(sign in text for sign in "/\\") or text in (".", ".."):
        raise Usage(
            phrase("`{text}` is a path: give a name alone, in the folder that shall hold the new one", text=text)
        )
    if not _NAME.fullmatch(text):
        likely = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_0123456789")[:60]
        raise Usage(
            phrase(
                "`{text}` cannot be the name of a bot's folder: expected small letters, digits and `_`, beginning with "
                "a letter and 60 at most, such as `{example}`; --persona takes any name",
                text=text,
                example=likely if _NAME.fullmatch(likely) else "my_bot",
            )
        )
    return text


def _checked_language(text: str) -> Language:
    found = next((language for language in LANGUAGES if text.lower() == language), None)
    if found is None:
        raise Usage("ja か en で答えてください / answer ja or en")
    return found


def _refuse_existing(folder: Path) -> None:
    if folder.exists() or folder.is_symlink():
        raise Usage(
            phrase("`{folder}` is there already, and nothing of it was changed: choose another name", folder=folder)
        )


def _ask(question: str, default: str, check: Callable[[str], T]) -> T:
    """Asks until the answer is one; an empty one is the default."""
    while True:
        try:
            return check(input(question).strip() or default)
        except Usage as error:
            print(said(str(error)))
        except EOFError:
            raise Usage(phrase("the questions were not answered: give --lang and --persona")) from None


def _write_whole(folder: Path, contents: Iterator[tuple[str, str]]) -> None:
    """Writes beside the place first, so that nobody ever finds half a bot there."""
    aside = Path(tempfile.mkdtemp(prefix=".misaki-init-", dir=folder.absolute().parent))
    try:
        for target, text in contents:
            path = aside / folder.name / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        _refuse_existing(folder)
        (aside / folder.name).rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
