"""`misaki gaps`: lists the sentences that no canned reply was for, most frequent first, and drafts YAML for them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from rich.text import Text

from engine.app import App
from engine.cli.env_file import Usage
from engine.cli.environment import conversation_env
from engine.cli.output import Terminal
from engine.core.language import phrase, tell
from engine.golden.gaps import GapFile, Group, grouped, kind_draft, read_gaps, reply_draft

DEFAULT_FILE = ".cache/gaps.jsonl"
OFF = "off"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--log", metavar="FILE", type=Path, help="lines of JSON, such as a Lambda log that was kept under LOG_TEXT"
    )
    parser.add_argument("--most", metavar="N", type=int, default=20, help="groups to list (default: %(default)s)")
    parser.add_argument("--reply", metavar="N", type=int, help="write a reply for group N")
    parser.add_argument("--kind", metavar="NAME", help="write group N of --reply as examples of this kind instead")


def run(arguments: argparse.Namespace) -> int:
    """0; 2 where there is no file, or no such group."""
    path = arguments.log or gaps_path(conversation_env(argparse.Namespace(pipeline=None)))
    if path is None:
        raise Usage(phrase("no gaps as MISAKI_GAPS is off: `misaki serve` and `misaki chat` collect them"))
    if not path.is_file():
        raise Usage(phrase("no gaps at `{path}`: `misaki serve` and `misaki chat` collect them", path=path))
    groups = grouped(list(read_gaps(path.read_text("utf-8", "replace").splitlines())))
    if arguments.reply is not None:
        print(_draft(groups, arguments.reply, arguments.kind), end="")
        return 0
    console = Terminal()
    for number, group in enumerate(groups[: arguments.most], 1):
        others = tell(" (and {count} like it)", count=len(group.texts) - 1) if len(group.texts) > 1 else ""
        console.print(Text.assemble((f"{number:>3}  {group.times:>4} × ", "bold"), group.texts[0], (others, "dim")))
        console.print(Text(f"            {group.by}: {group.said or tell('(nothing)')}", "dim"))
    console.print(
        Text(tell("groups: {count}; `misaki gaps --reply N` writes a reply for one", count=len(groups)), "dim")
    )
    return 0


def _draft(groups: list[Group], number: int, kind: str | None) -> str:
    if not 1 <= number <= len(groups):
        raise Usage(phrase("there is no group {number}: expected 1 to {most}", number=number, most=len(groups)))
    group = groups[number - 1]
    if kind is None:
        return reply_draft(group, f"new_reply_{number}")
    return kind_draft(group, kind, "en" if group.texts[0].isascii() else "ja")


def gaps_path(env: Mapping[str, str]) -> Path | None:
    """Finds where gaps are collected: `MISAKI_GAPS`, a file of its own in the working directory, or nowhere."""
    given = env.get("MISAKI_GAPS", "").strip()
    return None if given == OFF else Path(given or DEFAULT_FILE)


def collect_gaps(app: App, env: Mapping[str, str]) -> None:
    """Keep the gaps of `app` where the environment says."""
    path = gaps_path(env)
    if path is not None:
        app.add_listener(GapFile(path))
