"""How well kinds are told apart, on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from engine.golden.kind_accuracy import LEVELS, Measured, share

CONFUSIONS = 15
"""Confusions shown."""


def show(found: Measured, console: Console) -> None:
    """Right answers over all, by language and by kind, what is taken for what, and how far `sure` can be trusted."""
    console.print(Text(f"kinds: {len(found.answers)} sentences, {found.source}", "bold"))
    console.print(f"  {share(found.answers):6.1%} right")
    for language, answers in sorted(found.by("language").items()):
        if language:
            console.print(f"  {share(answers):6.1%} right of {len(answers)} in `{language}`")
    for level in LEVELS:
        spoken = [one for one in found.answers if one.sure >= level]
        console.print(
            f"  {share(spoken):6.1%} right where it is {level:.0%} sure, in {len(spoken) / len(found.answers):.0%}"
        )
    for kind, answers in sorted(found.by("kind").items(), key=lambda item: share(item[1])):
        console.print(Text(f"  {share(answers):6.1%} of {len(answers):>4}  {kind}", "dim"))
    for (kind, told), times in found.confusions[:CONFUSIONS]:
        console.print(f"  {times:>4} × {kind} taken for {told}")
    if found.seconds is not None and found.size is not None:
        console.print(f"  {found.seconds * 1e6:.0f} µs a sentence, {found.size:,} bytes")
