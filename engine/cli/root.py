"""The root of `misaki`: a literal table of commands, imported one at a time so that `--help` stays quick.

Exit codes: 0 clean, 1 problems, 2 usage, 3 a bug of ours.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Protocol, cast

from engine import __version__
from engine.cli.env_file import Usage, read_env_file
from engine.core.errors import ConfigError, SettingsError

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
    Row("init", "engine.cli.init", "write a new bot into a folder, ready to talk", reads_settings=False),
    Row("serve", "engine.cli.serve", "answer over HTTP on this machine, as Lambda would"),
    Row("chat", "engine.cli.chat", "talk to the persona in the terminal"),
    Row("explain", "engine.cli.explain", "tell why a text gets its reply"),
    Row("validate", "engine.cli.validate", "find every mistake in the pipelines and replies"),
    Row("test", "engine.cli.test", "play the golden conversations and show what is not as it was"),
    Row("calibrate", "engine.cli.calibrate", "find the threshold that suits the replies"),
    Row("gaps", "engine.cli.gaps", "list the sentences that no canned reply was for, and write replies for them"),
    Row("build", "engine.cli.build", "compile the pipeline into one file, for a quick start"),
    Row("schema", "engine.cli.schema", "print the JSON Schema of a kind of file", reads_settings=False),
    Row("invoke", "engine.cli.invoke", "give one Lambda event to the handler and print the response"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; never raises."""
    _prepare_streams()
    try:
        try:
            return _dispatch(sys.argv[1:] if argv is None else list(argv))
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


def _dispatch(arguments: Sequence[str]) -> int:
    root = _root_parser()
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
        print(
            f"misaki {row.name}: the package `{error.name}` is not installed; `pip install .` brings it",
            file=sys.stderr,
        )
        return PROBLEMS
    parser = argparse.ArgumentParser(prog=f"misaki {row.name}", description=row.help)
    command.configure(parser)
    options = parser.parse_args(arguments[1:])
    try:
        if row.reads_settings and (summary := read_env_file(os.environ)):
            print(summary, file=sys.stderr)
        return command.run(options)
    except (Usage, SettingsError) as error:
        print(f"misaki {row.name}: {error}", file=sys.stderr)
        return USAGE


def _unknown(name: str) -> str:
    from engine.pipeline.schema.advice import hint  # noqa: PLC0415  needed for a mistake

    return f"`{name}` is no command: {hint(name, [row.name for row in COMMANDS])}"


def _root_parser() -> argparse.ArgumentParser:
    width = max(len(row.name) for row in COMMANDS)
    table = "\n".join(f"  {row.name:{width}}  {row.help}" for row in COMMANDS)
    parser = argparse.ArgumentParser(
        prog="misaki",
        description="A persona chatbot from a folder of YAML.",
        epilog=f"commands:\n{table}\n\n`misaki COMMAND --help` says more about one of them.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"misaki {__version__}")
    parser.add_argument("command", metavar="COMMAND", help="one of those below")
    return parser


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
    print(f"misaki: {what}{(error.strerror or str(error)).lower()}", file=sys.stderr)
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
        print(
            f"misaki: this is a mistake of ours, not yours: {type(error).__name__}: {error}\n"
            "  run it again with MISAKI_DEBUG=1 for the traceback, and please report it",
            file=sys.stderr,
        )
    return BUG
