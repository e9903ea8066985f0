"""The local server with a handler that returns a constant, to see what HTTP costs: `python -m tests.chaos.constant`."""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from engine.api.policy import Policy
from engine.cli.local.front import Front
from engine.cli.local.server import LocalServer

RESPONSE = {
    "statusCode": 200,
    "headers": {"Access-Control-Allow-Origin": "*", "Content-Type": "application/json; charset=utf-8"},
    "body": json.dumps({"reply": "いらっしゃい。今夜も来てくれて嬉しいわ。" * 3, "engine": "canned"}),
}


def handle(_event: Any, _context: Any) -> dict[str, Any]:
    return RESPONSE


if __name__ == "__main__":
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    server = LocalServer(("127.0.0.1", 0), Front(handle, Policy()))
    server.start()
    sys.stdout.write(f"listening on {server.url}\n")
    sys.stdout.flush()
    signal.sigwait(signals)
    server.stop(1.0)
