"""The wire formats of the three providers: a good answer, and how each says that something is wrong."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
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


def events(provider: Provider, pieces: Sequence[str], finish: str | None = "stop") -> list[bytes]:
    """A good answer as a stream, one part a piece, then its end and its tokens; without `finish` it is not told to be
    over.
    """
    if provider == "bedrock":
        told = [_event("messageStart", {"role": "assistant"})]
        told += [_event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": one}}) for one in pieces]
        if finish is None:
            return told
        usage = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}
        stopped = _event("messageStop", {"stopReason": _STOP_REASONS[finish]})
        return [*told, stopped, _event("metadata", {"usage": usage, "metrics": {"latencyMs": 1}})]
    chunks: list[Mapping[str, Any]] = [_chunk({"role": "assistant", "content": ""})]
    chunks += [_chunk({"content": one}) for one in pieces]
    if finish is None:
        return list(map(_sse, chunks))
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    chunks += [_chunk({}, finish), {**_chunk({}), "choices": [], "usage": usage}]
    return [*map(_sse, chunks), b"data: [DONE]\n\n"]


def broken_event(provider: Provider) -> bytes:
    """An event that tells of an error."""
    if provider == "bedrock":
        return _event("throttlingException", {"message": f"slow down, {KEYS[provider]}"}, kind="exception")
    return _sse({"error": {"message": f"overloaded, {KEYS[provider]}", "type": "server_error", "code": 429}})


def content_type(provider: Provider) -> str:
    return "application/vnd.amazon.eventstream" if provider == "bedrock" else "text/event-stream"


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


_STOP_REASONS: Mapping[str | None, str | None] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "content_filter": "content_filtered",
    None: None,
}


def _chunk(delta: Mapping[str, Any], finish: str | None = None) -> Mapping[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "speaker-2", "choices": [choice]}


def _sse(payload: Mapping[str, Any]) -> bytes:
    return b"data: " + _dumps(payload) + b"\n\n"


def _event(name: str, payload: Mapping[str, Any], kind: str = "event") -> bytes:
    """A message in the encoding of AWS event streams: lengths, headers of type 7 (text), payload, checksums."""
    headers = b""
    for key, value in ((f":{kind}-type", name), (":content-type", "application/json"), (":message-type", kind)):
        headers += struct.pack(f"!B{len(key)}sBH{len(value)}s", len(key), key.encode(), 7, len(value), value.encode())
    body = _dumps(payload)
    prelude = struct.pack("!II", len(headers) + len(body) + 16, len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack("!I", zlib.crc32(message))


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
    return {
        "output": {"message": {"role": "assistant", "content": [] if text is None else [{"text": text}]}},
        "stopReason": _STOP_REASONS[finish],
        "usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18},
        "metrics": {"latencyMs": 1},
    }


def _dumps(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()
