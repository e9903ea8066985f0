"""A function whose application has a mistake of ours in it: what the handler makes of that, AWS's runtime shows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NoReturn

from engine.aws.handler import make_handler
from engine.core.deadline import Deadline
from engine.core.turn import ChatRequest


class BrokenBot:
    """Fails on every turn with a message that quotes the user, as messages of such mistakes do."""

    def reply(self, request: ChatRequest, deadline: Deadline | None) -> NoReturn:  # noqa: ARG002  the port's signature
        raise RuntimeError(f"no reply to {request.text}")

    def masked(self, text: str) -> str:
        return text

    def health(self) -> Mapping[str, Any]:
        return {"status": "ok", "pid": os.getpid()}


lambda_handler = make_handler(BrokenBot(), os.environ)
