"""Reads settings from a file of the working directory, `.env`, into the environment of a command.

Only the command line reads it: on Lambda the function's own configuration is all there is. What the environment holds
already stays, even where it is empty, and values are neither shown nor logged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from io import StringIO
from pathlib import Path

from engine.core.language import joined, phrase


class Usage(Exception):
    """The message says what was found and what was expected; the root shows it after the command's name, and ends
    with the exit code for usage.
    """


DEFAULT = ".env"
_VARIABLE = "MISAKI_ENV_FILE"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORM = phrase("expected NAME=value, a quote closed where it was opened, or a comment that begins with #")


def read_env_file(env: MutableMapping[str, str]) -> str:
    """Puts the file's settings into `env` and returns a sentence that names them, empty where nothing was read.

    `MISAKI_ENV_FILE` names another file than `.env`, or is `off`.

    Raises:
        Usage: a line that is no setting, by its number; or the named file is not there.
        OSError: the file cannot be opened.
    """
    named = env.get(_VARIABLE, "").strip()
    path = Path(named or DEFAULT)
    if named == "off":
        return ""
    if not path.is_file():
        if named:
            raise Usage(phrase("{variable}: there is no file `{file}`", variable=_VARIABLE, file=named))
        return ""
    read = dict(_settings(path))
    new = {name: value for name, value in read.items() if name not in env}
    env.update(new)
    return _summary(path, list(new), [name for name in read if name not in new])


def _settings(path: Path) -> Iterator[tuple[str, str]]:
    """Names and values; what a broken line holds may be a secret, so that only its number is told."""
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Usage(
            phrase("`{file}`, line {line}: is not UTF-8; save the file as UTF-8", file=path, line=line)
        ) from None
    lines = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error or (binding.key and (binding.value is None or not _NAME.fullmatch(binding.key))):
            # The parser counts the blank lines before a setting in.
            whole = binding.original.string
            blank = whole[: len(whole) - len(whole.lstrip())].splitlines()
            line = binding.original.line + len(blank)
            raise Usage(phrase("`{file}`, line {line}: {expected}", file=path, line=line, expected=_FORM))
        if binding.key:
            lines[binding.key] = binding.original.line
    for name, value in dotenv_values(stream=StringIO(text)).items():
        if "\0" in (value or ""):
            raise Usage(
                phrase("`{file}`, line {line}: the value holds a NUL character; remove it", file=path, line=lines[name])
            )
        yield name, value or ""


def _summary(path: Path, new: list[str], kept: list[str]) -> str:
    parts: list[str] = [", ".join(new) or phrase("none")]
    if kept:
        parts.append(phrase("set outside of it already: {names}", names=", ".join(kept)))
    if not new and not kept:
        return ""
    return phrase("settings from {file}: {names}", file=path, names=joined("{before}; {after}", parts))
