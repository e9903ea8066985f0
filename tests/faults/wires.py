"""The wire formats of the three providers: a good answer, and how each says that something is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.core.plan import ModelRow

Provider = Literal["openai", "bedrock", "huggingface"]
PROVIDERS: tuple[Provider, ...] = ("openai", "bedrock", "huggingface")

REPLY = "まあ、いらっしゃい。"
KEYS: Mapping[Provider, str] = {
    "openai": "sk-proj-Zq81vKKeyThatMustNotShow",
    "bedrock": "wJalrXUtnFEMIKeyThatMustNotShow",
    "huggingface": "hf_QkKeyThatMustNotShow",
}
SESSION_TOKEN = "IQoJb3JpZ2luKeyThatMustNotShow"  # noqa: S105 — made up
SECRET = "KeyThatMustNotShow"  # noqa: S105 — made up
"""Part of every secret."""

ENVIRONMENT: Mapping[str, str] = {
    "OPENAI_API_KEY": KEYS["openai"],
    "BEDROCK_CREDENTIALS": json.dumps(
        {"access_key_id": "AKIDEXAMPLE", "secret_access_key": KEYS["bedrock"], "session_token": SESSION_TOKEN}
    ),
    "HUGGINGFACE_TOKEN": KEYS["huggingface"],
}

_ERROR_NAMES = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The headers and the body of an error."""

    headers: Mapping[str, str]
    body: bytes


def row(provider: Provider, base_url: str, **settings: str | float | bool | tuple[str, ...]) -> ModelRow:
    place = {"region": "ap-northeast-1"} if provider == "bedrock" else {}
    address = base_url if provider == "bedrock" else f"{base_url}/v1"
    return ModelRow(
        id=provider,
        backend=provider,
        settings={"model": "speaker", "base_url": address, "max_tokens": 64, "temperature": 0.5, **place, **settings},
    )


def answer(provider: Provider, text: str | None = REPLY, finish: str | None = "stop") -> bytes:
    """A good answer; `finish` in the words of chat completions, `None` to leave it out."""
    return _dumps(_converse(text, finish) if provider == "bedrock" else _chat(text, finish))


def refusal(provider: Provider, status: int, *, code: str = "", words: str = "no") -> Refusal:
    """An error whose text quotes the key, as a careless provider would."""
    words = f"{words}; you sent {KEYS[provider]}"
    if provider == "bedrock":
        name = code or _ERROR_NAMES.get(status, "InternalServerException")
        return Refusal(headers={"x-amzn-ErrorType": f"{name}:http://internal/"}, body=_dumps({"message": words}))
    if provider == "huggingface":
        return Refusal(headers={}, body=_dumps({"error": words, "error_type": code or "overloaded"}))
    return Refusal(headers={}, body=_dumps({"error": {"message": words, "type": "some_error", "code": code or None}}))


def error_at_200(provider: Provider) -> bytes:
    """An error inside an event stream that began well."""
    event = {"error": {"message": f"overloaded, {KEYS[provider]}", "type": "server_error"}}
    return b'data: {"choices": [{"delta": {"content": "\\u307e"}}]}\n\ndata: ' + _dumps(event) + b"\n\n"


def _chat(text: str | None, finish: str | None) -> Mapping[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "speaker-2",
        "choices": [choice],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }


def _converse(text: str | None, finish: str | None) -> Mapping[str, Any]:
    reasons = {"stop": "end_turn", "length": "max_tokens", "content_filter": "content_filtered", None: None}
    return {
        "output": {"message": {"role": "assistant", "content": [] if text is None else [{"text": text}]}},
        "stopReason": reasons[finish],
        "usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18},
        "metrics": {"latencyMs": 1},
    }


def _dumps(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()
