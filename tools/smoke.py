"""Asks a deployed bot for its health and for one reply; standard input is what `sam list stack-outputs` prints."""

from __future__ import annotations

import json
import sys
import urllib.request
from typing import Any

TIMEOUT = 30


def main() -> int:
    outputs = {output["OutputKey"]: output["OutputValue"] for output in json.load(sys.stdin)}
    health = _call(outputs["HealthUrl"], None)
    print("health", json.dumps(health, ensure_ascii=False))
    turn = _call(outputs["ChatUrl"], {"input": "こんばんは"})
    print("reply", json.dumps(turn, ensure_ascii=False))
    if health.get("status") != "ok" or not turn.get("reply"):
        print("the bot is deployed and does not answer as it should", file=sys.stderr)
        return 1
    return 0


def _call(url: str, body: dict[str, Any] | None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310  https
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310  as above
        answer: dict[str, Any] = json.load(response)
    return answer


if __name__ == "__main__":
    sys.exit(main())
