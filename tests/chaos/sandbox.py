"""A function's process as Lambda runs it: a line of JSON in for each event, its response out."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from engine.aws.handler import start


class Context:
    """Lambda's context object, with `remaining` milliseconds left when it is made."""

    aws_request_id = "sandbox"

    def __init__(self, remaining: int) -> None:
        self._until = time.monotonic() + remaining / 1000

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self._until - time.monotonic()) * 1000))


def context(remaining: int | None) -> Any:
    return None if remaining is None else Context(remaining)


if __name__ == "__main__":
    handler = start(os.environ, log=lambda _: None)
    for line in sys.stdin:
        order = json.loads(line)
        response = handler(order["event"], context(order["remaining"]))
        sys.stdout.write(json.dumps(response) + "\n")
        sys.stdout.flush()
