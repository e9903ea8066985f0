"""What happens when Lambda imports the function: the application is built once, and a bad pipeline fails the init."""

from __future__ import annotations

import time
from collections.abc import Mapping

from engine.app import load_app
from engine.aws.handler import Handler, make_handler
from engine.aws.log import Log, print_record
from engine.model.errors import ConfigError


def start(env: Mapping[str, str], *, log: Log = print_record) -> Handler:
    """The handler over the application that `env` describes.

    Raises:
        ConfigError: with every problem already in the log, one record each.
    """
    started = time.monotonic()
    try:
        app = load_app(env)
    except ConfigError as error:
        for problem in error.problems:
            log({"level": "error", "event": "config_problem", "code": problem.code, "message": str(problem)})
        raise
    log({"level": "info", "event": "loaded", "milliseconds": round((time.monotonic() - started) * 1000, 1)})
    return make_handler(app, env, log=log)
