"""`misaki invoke`: one Lambda event through the handler, the response printed for reading."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from engine.app import load_app
from engine.aws.handler import make_handler
from engine.cli.env_file import Usage
from engine.cli.environment import add_pipeline, conversation_env


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("event", metavar="EVENT.json", help="a Lambda event; `-` reads it from standard input")
    add_pipeline(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 where the handler answered with 2xx, else 1; 2 where there is no event to be read."""
    try:
        event = _read(arguments.event)
    except (OSError, ValueError, RecursionError) as error:
        raise Usage(f"`{arguments.event}` is no event: {_cause(error)}") from None
    env = conversation_env(arguments)
    app = load_app(env)
    try:
        response = make_handler(app, env, log=lambda _: None, keeper=app.rooms)(event, None)
    finally:
        app.close()
    print(json.dumps(_readable(response), ensure_ascii=False, indent=2))
    return 0 if 200 <= response["statusCode"] < 300 else 1


def _read(place: str) -> Any:
    return json.loads(sys.stdin.buffer.read() if place == "-" else Path(place).read_bytes())


def _readable(response: dict[str, Any]) -> dict[str, Any]:
    """The response with its body opened."""
    return response | ({"body": json.loads(response["body"])} if response["body"] else {})


def _cause(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"not JSON: {error}"
