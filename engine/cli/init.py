"""`misaki init`: a folder with a bot that validates, passes its goldens and talks, for an editor to begin from.

The bot's files are templates in `starter`, one folder a language, in which marks between `@` stand for the names.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from engine.cli.usage import Usage
from engine.core.language import LANGUAGES, Language, language_of
from engine.pipeline.schema.shape import schema_of
from engine.validation.file_kinds import KINDS

T = TypeVar("T")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_LONGEST_PERSONA = 40
_PERSONA: Mapping[Language, str] = {"ja": "ハナ", "en": "Hana"}

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
    "gitignore": ".gitignore",
    "settings.json": ".vscode/settings.json",
    "extensions.json": ".vscode/extensions.json",
}
"""Templates by where they go. Their names begin with no dot, since packaging leaves hidden files out."""

_QUESTION = "ja / en: 日本語 or English? [{default}] "
_PERSONA_QUESTION: Mapping[Language, str] = {
    "ja": "ボットの名前は何にしますか。 [{default}] ",
    "en": "What is the bot called? [{default}] ",
}
_DONE: Mapping[Language, str] = {
    "ja": """`{name}` に「{persona}」ができました。次は:
  cd {name}
  misaki chat        端末で話す
  misaki validate    書きまちがいを探す
  misaki test        見本の会話を演じる
  misaki serve       http://127.0.0.1:9000 で答える
台詞は `replies/` にあります。""",
    "en": """`{name}` holds {persona}. Next:
  cd {name}
  misaki chat        talk in the terminal
  misaki validate    look for mistakes
  misaki test        play the golden conversations
  misaki serve       answer on http://127.0.0.1:9000
What is said stands in `replies/`.""",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the new folder: small letters, digits and `_`")
    parser.add_argument("--lang", choices=LANGUAGES, help="the language that the bot speaks (default: asks, or locale)")
    parser.add_argument("--persona", metavar="NAME", help="what the bot is called (default: asks)")


def run(arguments: argparse.Namespace) -> int:
    """Writes the folder, or nothing where it cannot be written whole."""
    name = _checked_name(arguments.name)
    folder = Path(name)
    _refuse_existing(folder)
    persona = None if arguments.persona is None else checked_persona(arguments.persona)
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    language: Language = arguments.lang or language_of(os.environ)
    if arguments.lang is None and on_terminal:
        language = _ask(_QUESTION, language, _checked_language)
    if persona is None:
        default = _PERSONA[language]
        persona = _ask(_PERSONA_QUESTION[language], default, checked_persona) if on_terminal else default
    _write_whole(folder, bot_files(name, persona, language))
    print(_DONE[language].format(name=name, persona=persona))
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
        raise Usage("the persona's name is empty: give one, as --persona Hana")
    if len(persona) > _LONGEST_PERSONA:
        raise Usage(f"the persona's name has {len(persona)} characters: expected {_LONGEST_PERSONA} at most")
    bad = next((sign for sign in persona if sign in "{}$<>|`" or not sign.isprintable()), None)
    if bad is not None:
        raise Usage(f"the persona's name holds {bad!r}, which files of a bot read as something else: leave it out")
    if not any(sign.isalnum() for sign in persona):
        raise Usage(f"the persona's name `{persona}` has no letter: give a name that can be said, as --persona Hana")
    return persona


def _checked_name(text: str) -> str:
    if any(sign in text for sign in "/\\") or text in (".", ".."):
        raise Usage(f"`{text}` is a path: give a name alone, in the folder that shall hold the new one")
    if not _NAME.fullmatch(text):
        likely = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_0123456789")[:60]
        example = likely if _NAME.fullmatch(likely) else "my_bot"
        raise Usage(
            f"`{text}` cannot be the name of a bot: expected small letters, digits and `_`, beginning with a letter "
            f"and 60 at most, such as `{example}`; --persona takes any name"
        )
    return text


def _checked_language(text: str) -> Language:
    found = next((language for language in LANGUAGES if text.lower() == language), None)
    if found is None:
        raise Usage(f"`{text}` is no language of a new bot: expected ja or en")
    return found


def _refuse_existing(folder: Path) -> None:
    if folder.exists() or folder.is_symlink():
        raise Usage(f"`{folder}` is there already, and nothing of it was changed: choose another name")


def _ask(question: str, default: str, check: Callable[[str], T]) -> T:
    """Asks until the answer is one; an empty one is the default."""
    while True:
        try:
            return check(input(question.format(default=default)).strip() or default)
        except Usage as error:
            print(error)
        except EOFError:
            raise Usage("the questions were not answered: give --lang and --persona") from None


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
