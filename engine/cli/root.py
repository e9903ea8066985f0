"""The root of `misaki`: a literal table of commands, imported one at a time so that `--help` stays quick.

Exit codes: 0 clean, 1 problems, 2 usage, 3 a bug of ours.
"""

from __future__ import annotations

import argparse
import gettext
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import pairwise
from pathlib import Path
from typing import Protocol, cast

from engine import __version__
from engine.cli.env_file import Usage, read_env_file
from engine.core.errors import ConfigError, SettingsError, reason_of
from engine.core.language import DOMAIN, LANGUAGES, LOCALE, Language, language_of, phrase, said, spoken, tell

CLEAN, PROBLEMS, USAGE, BUG = 0, 1, 2, 3
INTERRUPTED = 130


class Command(Protocol):
    """What a command's module offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, arguments: argparse.Namespace) -> int: ...


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    module: str
    help: str
    reads_settings: bool = True


COMMANDS = (
    Row("init", "engine.cli.init", phrase("write a new bot into a folder, ready to talk"), reads_settings=False),
    Row("serve", "engine.cli.serve", phrase("answer over HTTP on this machine, as Lambda would")),
    Row("chat", "engine.cli.chat", phrase("talk to the persona in the terminal")),
    Row("explain", "engine.cli.explain", phrase("tell why a text gets its reply")),
    Row("validate", "engine.cli.validate", phrase("find every mistake in the pipelines and replies")),
    Row("test", "engine.cli.test", phrase("play the golden conversations and show what is not as it was")),
    Row("calibrate", "engine.cli.calibrate", phrase("find the threshold that suits the replies")),
    Row(
        "gaps", "engine.cli.gaps", phrase("list the sentences that no canned reply was for, and write replies for them")
    ),
    Row("build", "engine.cli.build", phrase("compile the pipeline into one file, for a quick start")),
    Row("schema", "engine.cli.schema", phrase("print the JSON Schema of a kind of file"), reads_settings=False),
    Row("invoke", "engine.cli.invoke", phrase("give one Lambda event to the handler and print the response")),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; never raises."""
    _prepare_streams()
    arguments = sys.argv[1:] if argv is None else list(argv)
    before = spoken.set(_speak(arguments))
    try:
        try:
            return _dispatch(arguments)
        finally:
            # What is kept back until the exit could only fail there, beyond these handlers.
            sys.stdout.flush()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USAGE
    except ConfigError as error:
        return _problems(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return _out_of_reach(error)
    except Exception as error:  # noqa: BLE001  one of the three places that answer for every mistake of ours
        return _bug(error)
    finally:
        spoken.reset(before)


def _speak(arguments: Sequence[str]) -> Language:
    """The language of `--lang`, which stands anywhere, or of the environment; that of argparse's own words as well."""
    given = [word.removeprefix("--lang=") for word in arguments if word.startswith("--lang=")]
    given += [word for option, word in pairwise(arguments) if option == "--lang"]
    language = next((one for one in LANGUAGES if one in given), language_of(os.environ))
    gettext.bindtextdomain(DOMAIN, LOCALE)
    gettext.textdomain(DOMAIN)
    os.environ["LANGUAGE"] = language
    return language


def _dispatch(arguments: Sequence[str]) -> int:
    root = _root_parser()
    first = 2 if arguments[:1] == ["--lang"] else int(arguments[:1] != [] and arguments[0].startswith("--lang="))
    language, arguments = arguments[:first], arguments[first:]
    if not arguments:
        root.print_help()
        return USAGE
    name = root.parse_args(arguments[:1]).command
    row = next((row for row in COMMANDS if row.name == name), None)
    if row is None:
        root.error(_unknown(name))
    try:
        command = cast("Command", importlib.import_module(row.module))
    except ModuleNotFoundError as error:
        if (error.name or "engine").partition(".")[0] == "engine":
            raise
        missing = tell("the package `{package}` is not installed; `pip install .` brings it", package=error.name)
        print(f"misaki {row.name}: {missing}", file=sys.stderr)
        return PROBLEMS
    parser = argparse.ArgumentParser(
        prog=f"misaki {row.name}", description=said(row.help), formatter_class=Help, conflict_handler="resolve"
    )
    parser.add_argument(
        "--lang", choices=LANGUAGES, help="the language of what is shown (default: $MISAKI_LANG, or the locale)"
    )
    command.configure(parser)
    options = parser.parse_args([*language, *arguments[1:]])
    try:
        if row.reads_settings and (summary := read_env_file(os.environ)):
            print(said(summary), file=sys.stderr)
            # It may name a language, too.
            spoken.set(_speak([*language, *arguments]))
        return command.run(options)
    except (Usage, SettingsError) as error:
        print(f"misaki {row.name}: {said(str(error))}", file=sys.stderr)
        return USAGE


def _unknown(name: str) -> str:
    from engine.pipeline.schema.advice import hint  # noqa: PLC0415  needed for a mistake

    return tell("`{name}` is no command: {hint}", name=name, hint=hint(name, [row.name for row in COMMANDS]))


def _root_parser() -> argparse.ArgumentParser:
    width = max(len(row.name) for row in COMMANDS)
    table = "\n".join(f"  {row.name:{width}}  {said(row.help)}" for row in COMMANDS)
    parser = argparse.ArgumentParser(
        prog="misaki",
        description=tell("A persona chatbot from a folder of YAML."),
        epilog=tell("commands:\n{table}\n\n`misaki COMMAND --help` says more about one of them.", table=table),
        formatter_class=Help,
    )
    parser.add_argument("--version", action="version", version=f"misaki {__version__}")
    parser.add_argument("command", metavar="COMMAND", help="one of those below")
    return parser


class Help(argparse.RawDescriptionHelpFormatter):
    """Says what the options are for in the language of the command."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help and tell(action.help)

    def _split_lines(self, text: str, width: int) -> list[str]:
        if text.isascii():
            return super()._split_lines(text, width)
        from rich.cells import chop_cells  # noqa: PLC0415  for what has no blanks to break a line at

        return chop_cells(text, width)


def _prepare_streams() -> None:
    """Closed ones become empty ones, and what the terminal's encoding does not have is shown by its code."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  as long as the process
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Python would try to write it once more at exit, and complain."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _out_of_reach(error: OSError) -> int:
    """Says what the system refused: a file of the user's, or room for the output itself."""
    if isinstance(error, BrokenPipeError):
        # The reader (`head`, a pager) has what it wanted.
        _discard_output()
        return CLEAN
    if os.environ.get("MISAKI_DEBUG"):
        traceback.print_exception(error, file=sys.stderr)
    if error.filename is None:
        _discard_output()
    what = "" if error.filename is None else f"`{os.fsdecode(error.filename)}`: "
    print(f"misaki: {what}{reason_of(error)}", file=sys.stderr)
    return PROBLEMS


def _problems(error: ConfigError) -> int:
    """Shows where the configuration is wrong, as `misaki validate` does."""
    from engine.pipeline.reading.files import Sources  # noqa: PLC0415  needed for a configuration that is wrong
    from engine.validation.reporters.text import render_problems  # noqa: PLC0415  as above

    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    sys.stderr.write(render_problems(error.problems, Sources(), colour=colour))
    return PROBLEMS


def _bug(error: Exception) -> int:
    if os.environ.get("MISAKI_DEBUG"):
        traceback.print_exception(error, file=sys.stderr)
    else:
        words = tell(
            "this is a mistake of ours, not yours: {error}\n"
            "  run it again with MISAKI_DEBUG=1 for the traceback, and please report it",
            error=f"{type(error).__name__}: {error}",
        )
        print(f"misaki: {words}", file=sys.stderr)
    return BUG
