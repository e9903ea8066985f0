"""What a user asked for in a way that cannot be done."""

from __future__ import annotations


class Usage(Exception):
    """The message says what was found and what was expected; the root shows it after the command's name, and ends
    with the exit code for usage.
    """
