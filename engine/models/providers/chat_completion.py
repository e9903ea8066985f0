"""A prompt as chat messages, and an answer in OpenAI's chat-completion shape, which Hugging Face speaks too.

Reads an SDK's objects by attribute and trusts none of them; knows no SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypedDict

from engine.core.deadline import Deadline
from engine.core.errors import Malformed
from engine.core.turn import Completion, FinishReason, Prompt
from engine.models.dialogue import alternating
from engine.models.providers.asker import Chunk
from engine.models.providers.coming import mean_probability
from engine.models.providers.parameters import STREAM, SYSTEM, chat_parameters
from engine.models.providers.row import Settings

CUT = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded", "error"})
"""Finish reasons, in small letters, of an answer that is not whole."""

REFUSED = frozenset(
    {
        "content_filter",
        "content_filtered",
        "guardrail_intervened",
        "safety",
        "refusal",
        "prohibited_content",
        "blocklist",
    }
)
"""Finish reasons of what is no answer, whatever text there is."""


class ChatMessage(TypedDict):
    role: str
    content: str


def conversation(prompt: Prompt, examples: int) -> list[ChatMessage]:
    """The first `examples` exchanges, the history and the text, without the system text."""
    said = alternating(prompt.examples[:examples], prompt.history, prompt.text)
    return [ChatMessage(role=message.role, content=message.text) for message in said]


def with_system(prompt: Prompt, examples: int, *, apart: bool = True) -> list[ChatMessage]:
    """The conversation behind its system text, if there is one: in a message of its own, or where a model knows none,
    not `apart` but in the first message of the user.
    """
    messages = conversation(prompt, examples)
    system = prompt.system.strip()
    if system and apart:
        return [ChatMessage(role="system", content=prompt.system), *messages]
    if system:
        messages[0] = ChatMessage(role="user", content=f"{system}\n\n{messages[0]['content']}")
    return messages


def finish_reason(told: Any) -> FinishReason:
    """How an answer ended. Servers have many words for its natural end, and some have none: the text decides."""
    word = told.strip().lower().replace("-", "_") if isinstance(told, str) else ""
    if word in REFUSED:
        return "refusal"
    return "length" if word in CUT else "stop"


def completion(answer: Any, settings: Settings, backend: str) -> Completion:
    """`answer` as a `Completion`. A null or empty text stays empty, for the `empty` detector to see.

    Raises `Malformed` where there is no choice, or a text that is none.
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
        text = joined(text, backend)
    usage = getattr(answer, "usage", None)
    return Completion(
        text=text,
        finish_reason="refusal" if refusal else finish_reason(getattr(choice, "finish_reason", None)),
        model=settings.model,
        prompt_tokens=_count(getattr(usage, "prompt_tokens", None)),
        completion_tokens=_count(getattr(usage, "completion_tokens", None)),
        confidence=mean_probability(_logs(choice)),
    )


def joined(parts: Any, backend: str) -> str:
    """The text of a content in parts; those of other types, such as thoughts, are not for the user."""
    if not isinstance(parts, Sequence):
        raise _malformed(backend, "a text that is none")
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        fields = part if isinstance(part, Mapping) else getattr(part, "__dict__", None)
        if fields is None:
            raise _malformed(backend, "a text that is none")
        if fields.get("type", "text") in {"text", "output_text"} and isinstance(fields.get("text"), str):
            texts.append(fields["text"])
    return "".join(texts)


def _logs(choice: Any) -> Sequence[Any]:
    """The logarithms of the probabilities of a choice's tokens, as the server gave them."""
    tokens = getattr(getattr(choice, "logprobs", None), "content", None)
    return [getattr(token, "logprob", None) for token in tokens] if isinstance(tokens, Sequence) else ()


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _malformed(backend: str, found: str) -> Malformed:
    return Malformed(f"the answer of {backend} holds {found}", backend=backend, status=200, retryable=True)


class ChatAsker:
    """Asks through `create`, the call of an SDK that speaks chat completions, and through `stream`, which opens the
    pieces of an answer; `default_url` where no row names one.
    """

    def __init__(  # noqa: PLR0913, PLR0917  what an SDK offers
        self,
        backend: str,
        create: Callable[..., Any],
        stream: Callable[..., AbstractContextManager[Iterable[Any]]],
        errors: tuple[type[Exception], ...],
        settings: Settings,
        default_url: str,
    ) -> None:
        self._backend, self._create, self._stream, self._settings = backend, create, stream, settings
        self.errors = errors
        self.parameters = chat_parameters(backend, settings, settings.base_url or default_url)

    def ask(self, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any]) -> Completion:  # noqa: ARG002 — the call under way has it
        return completion(self._create(**self._request(prompt, sent)), self._settings, self._backend)

    @contextmanager
    def open(self, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any]) -> Iterator[Iterable[Chunk]]:  # noqa: ARG002 — as above
        with self._stream(stream=True, **self._request(prompt, sent)) as chunks:
            yield map(self._chunk, chunks)

    def _request(self, prompt: Prompt, sent: Mapping[str, Any]) -> dict[str, Any]:
        options = {name: value for name, value in sent.items() if name not in {SYSTEM, STREAM}}
        messages = with_system(prompt, self._settings.examples, apart=SYSTEM in sent)
        return {"model": self._settings.model, "messages": messages, "extra_body": options}

    def _chunk(self, chunk: Any) -> Chunk:
        usage, choices = getattr(chunk, "usage", None), getattr(chunk, "choices", None)
        prompt_tokens = _count(getattr(usage, "prompt_tokens", None))
        tokens = _count(getattr(usage, "completion_tokens", None))
        if not isinstance(choices, Sequence) or not choices:
            return Chunk(prompt_tokens=prompt_tokens, tokens=tokens)
        delta, finish = getattr(choices[0], "delta", None), getattr(choices[0], "finish_reason", None)
        refusal = getattr(delta, "refusal", None)
        text = refusal or getattr(delta, "content", None) or ""
        return Chunk(
            text=text if isinstance(text, str) else joined(text, self._backend),
            refused=bool(refusal),
            ended=finish_reason(finish) if isinstance(finish, str) and finish else None,
            logs=_logs(choices[0]),
            prompt_tokens=prompt_tokens,
            tokens=tokens,
        )
