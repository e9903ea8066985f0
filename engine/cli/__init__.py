"""The command line: one module a command, and the root that finds them."""

from engine.cli.root import main

__all__ = ["main"]
