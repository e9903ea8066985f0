"""A handler that does nothing: what the emulator and the runtime client cost by themselves."""

import json
from typing import Any

_BODY = json.dumps({"reply": "いらっしゃい。今夜も来てくれて嬉しいわ。" * 3}, ensure_ascii=False)


def handler(_event: Any, _context: Any) -> dict[str, Any]:
    return {"statusCode": 200, "headers": {"Content-Type": "application/json; charset=utf-8"}, "body": _BODY}
