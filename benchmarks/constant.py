"""A handler that only gives back one canned reply, as the engine once gave it: what the emulator, the runtime client
and a response of that size cost by themselves.
"""

import json
from typing import Any

_REPLY = "残業が終わらないのね。ゆっくり聞かせて。"
_BODY = {
    "reply": _REPLY,
    "message": _REPLY,
    "response": _REPLY,
    "engine": "canned",
    "step": "canned",
    "reply_id": "reply_1",
    "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    "escalations": [],
    "latency_ms": 0.1,
    "session_id": "0123456789abcdef0123456789abcdef",
}
_RESPONSE = {
    "statusCode": 200,
    "headers": {
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Type": "application/json; charset=utf-8",
    },
    "body": json.dumps(_BODY, ensure_ascii=False),
}


def handler(_event: Any, _context: Any) -> dict[str, Any]:
    return _RESPONSE
