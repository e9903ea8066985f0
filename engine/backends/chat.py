"""A prompt as chat messages, and an answer in OpenAI's chat-completion shape, which Hugging Face speaks too.

Reads an SDK's objects by attribute and trusts none of them; knows no SDK.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypedDict

from engine.backends.settings import Settings
from engine.model.errors import Malformed
from engine.model.turn import Completion, FinishReason, Prompt, Role

FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "content_filter": "refusal",
}


class ChatMessage(TypedDict):
    role: str
    content: str


def conversation(prompt: Prompt, examples: int) -> list[ChatMessage]:
    """The first `examples` exchanges, the history and the text, without the system text.

    Begins with the user, and roles alternate: neighbours of one role are joined by a line break, an assistant's
    opening and empty texts are left out. Some providers refuse anything else.
    """
    said: list[tuple[Role, str]] = []
    for exchange in prompt.examples[:examples]:
        said += [("user", exchange.user), ("assistant", exchange.reply)]
    said += [(message.role, message.text) for message in prompt.history]
    said.append(("user", prompt.text))
    return _alternating(said)


def with_system(prompt: Prompt, examples: int) -> list[ChatMessage]:
    """The conversation behind its system text, if there is one."""
    system = [ChatMessage(role="system", content=prompt.system)] if prompt.system.strip() else []
    return system + conversation(prompt, examples)


def completion(answer: Any, settings: Settings, backend: str) -> Completion:
    """`answer` as a `Completion`. A null or empty text stays empty, for the `empty` detector to see.

    Raises `Malformed` where there is no choice, no finish reason that we know, or a text that is none.
    """
    choices = getattr(answer, "choices", None)
    if not isinstance(choices, Sequence) or not choices:
        raise _malformed(backend, "no choice")
    choice = choices[0]
    message = getattr(choice, "message", None)
    if message is None:
        raise _malformed(backend, "no message")
    refusal = getattr(message, "refusal", None)
    text = refusal or getattr(message, "content", None) or ""
    if not isinstance(text, str):
        raise _malformed(backend, "a text that is none")
    reason = FINISH.get(str(getattr(choice, "finish_reason", None)))
    if reason is None:
        raise _malformed(backend, "no finish reason")
    usage = getattr(answer, "usage", None)
    return Completion(
        text=text,
        finish_reason="refusal" if refusal else reason,
        model=settings.model,
        prompt_tokens=_count(getattr(usage, "prompt_tokens", None)),
        completion_tokens=_count(getattr(usage, "completion_tokens", None)),
        confidence=confidence(getattr(choice, "logprobs", None)),
    )


def confidence(logprobs: Any) -> float | None:
    """The geometric mean probability of the tokens, exp(mean(log p)); `None` where the server gave no numbers."""
    entries = getattr(logprobs, "content", None)
    if not isinstance(entries, Sequence) or not entries:
        return None
    values = [getattr(entry, "logprob", None) for entry in entries]
    numbers = [float(value) for value in values if isinstance(value, int | float) and not math.isnan(value)]
    if len(numbers) != len(values):
        return None
    return min(1.0, math.exp(math.fsum(numbers) / len(numbers)))


def _alternating(said: Sequence[tuple[Role, str]]) -> list[ChatMessage]:
    messages: list[ChatMessage] = []
    for role, text in said:
        if not text.strip() or (not messages and role == "assistant"):
            continue
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += f"\n{text}"
        else:
            messages.append(ChatMessage(role=role, content=text))
    return messages


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _malformed(backend: str, found: str) -> Malformed:
    return Malformed(f"the answer of {backend} holds {found}", backend=backend, status=200, retryable=True)
