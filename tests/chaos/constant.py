"""The server of `misaki serve` with an API that returns a constant: `python -m tests.chaos.constant`."""

from __future__ import annotations

import json
import signal
import sys

from engine.api.policy import Policy
from engine.api.response import Response
from engine.web.access import Access
from engine.web.app import Hosted
from engine.web.server import WebServer

RESPONSE = Response(
    status=200,
    headers={"Access-Control-Allow-Origin": "*", "Content-Type": "application/json; charset=utf-8"},
    body=json.dumps({"reply": "いらっしゃい。今夜も来てくれて嬉しいわ。" * 3, "engine": "canned"}),
)

if __name__ == "__main__":
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    server = WebServer(
        ("127.0.0.1", 0),
        Hosted(
            service=lambda _request, _deadline, _id: RESPONSE,
            invoke=lambda _event, _id: {},
            policy=Policy(),
            access=Access(host="127.0.0.1"),
        ),
    )
    server.start()
    sys.stdout.write(f"listening on {server.url}\n")
    sys.stdout.flush()
    signal.sigwait(signals)
    server.stop(1.0)
