"""Asks a deployed bot for its health and for one reply; standard input is what `sam list stack-outputs` prints.

A bot that lets in only who knows its token is asked with the one in `CLIENT_TOKEN`; without it, that it refuses is all
there is to see.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

TIMEOUT = 30
UNAUTHORISED = 401


def main() -> int:
    token = os.environ.get("CLIENT_TOKEN", "")
    try:
        outputs = {output["OutputKey"]: output["OutputValue"] for output in json.load(sys.stdin)}
        health_url, chat_url = outputs["HealthUrl"], outputs["ChatUrl"]
    except (ValueError, TypeError, KeyError):
        print("standard input is not what `sam list stack-outputs --output json` prints of this stack", file=sys.stderr)
        return 2
    try:
        said = {"Authorization": f"Bearer {token}"} if token else {}
        status, health = _call(health_url, None, said)
        print("health", status, json.dumps(health, ensure_ascii=False))
        answered, turn = _call(chat_url, {"input": "こんばんは"}, said)
        print("reply", answered, json.dumps(turn, ensure_ascii=False))
    except OSError as error:
        print(f"the bot cannot be reached: {error}", file=sys.stderr)
        return 1
    closed = answered == UNAUTHORISED and not token
    if closed:
        print("the bot asks for its token: set CLIENT_TOKEN to hear a reply")
    if health.get("status") not in ("ok", "degraded") or not (turn.get("reply") or closed):
        print("the bot is deployed and does not answer as it should", file=sys.stderr)
        return 1
    return 0


def _call(url: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer, whatever the status; raises `OSError` without an answer."""
    data = None if body is None else json.dumps(body).encode()
    every = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, data=data, headers=every)  # noqa: S310  https
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310  as above
            return response.status, _object(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _object(error.read())


def _object(text: bytes) -> dict[str, Any]:
    """What is no JSON object, such as a gateway's own page, is shown as it is."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {"text": text.decode("utf-8", "replace")}


if __name__ == "__main__":
    sys.exit(main())
