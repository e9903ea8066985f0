"""The environment of commands that hold a conversation: the process's own, the options given, and memory."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping


def add_pipeline(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pipeline", metavar="FILE", help="the pipeline to load (default: $MISAKI_PIPELINE)")


def conversation_env(arguments: argparse.Namespace, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`base` with `--pipeline`; sessions are kept in memory unless `SESSION_STORE` says otherwise."""
    env = dict(base)
    env.setdefault("SESSION_STORE", "sqlite::memory:")
    if arguments.pipeline:
        env["MISAKI_PIPELINE"] = arguments.pipeline
    return env
