"""One canned reply, as the engine once gave it, from a handler for Lambda and from an ASGI application that streams it:
what the emulator, the runtime client, the web server and a response of that size cost by themselves.
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


_HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")],
}
_EVENTS = (
    ("turn", {"session_id": _BODY["session_id"], "turn": 1}),
    ("sentence", {"index": 0, "text": _REPLY}),
    ("done", _BODY),
)
_PARTS = [f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode() for name, data in _EVENTS]


async def stream(_scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send(_HEAD)
    for part in _PARTS:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})
