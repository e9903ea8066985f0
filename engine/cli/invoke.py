"""`misaki invoke`: gives one Lambda event to the handler, and prints the response for reading."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from engine.app import load_app
from engine.aws.handler import make_handler
from engine.cli.env_file import Usage
from engine.cli.environment import add_pipeline, conversation_env
from engine.core.errors import reason_of
from engine.core.language import phrase


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("event", metavar="EVENT.json", help="a Lambda event; `-` reads it from standard input")
    add_pipeline(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 where the handler answered with 2xx, else 1; 2 where there is no event to be read."""
    try:
        event = json.loads(sys.stdin.buffer.read() if arguments.event == "-" else Path(arguments.event).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        cause: str = phrase("not JSON: {error}", error=error)
        if isinstance(error, OSError):
            cause = reason_of(error)
        raise Usage(phrase("`{file}` is no event: {cause}", file=arguments.event, cause=cause)) from None
    env = conversation_env(arguments)
    app = load_app(env)
    try:
        response = make_handler(app, env, log=lambda _: None, keeper=app.rooms)(event, None)
    finally:
        app.close()
    if response["body"]:
        response["body"] = json.loads(response["body"])
    print(json.dumps(response, ensure_ascii=False, indent=2))
    return 0 if 200 <= response["statusCode"] < 300 else 1
