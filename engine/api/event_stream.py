"""Writes a turn as server-sent events while it happens: the engine's own on `/chat`, or OpenAI's chunks.

The stream of `/chat` has the events `turn`, `escalation`, `sentence`, and at its end `done` with the very JSON of a
plain answer, or `error`. What was sent is never taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from engine.api.response import Send, escalation_payload, to_json
from engine.core.events import Escalation, Event, Sentence, TurnStarted

if TYPE_CHECKING:
    from engine.api.completions import Completion

Show = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""What of a payload anybody may see."""


class EventWriter(Protocol):
    """Writes the events of one turn, then how it ended."""

    def tell(self, event: Event) -> None: ...
    def end(self, payload: Mapping[str, Any]) -> None: ...
    def fail(self, payload: Mapping[str, Any]) -> None: ...


class ChatEvents:
    """The events of `/chat`, to `send`."""

    def __init__(self, send: Send, show: Show) -> None:
        self._send, self._show = send, show

    def tell(self, event: Event) -> None:
        """Write `event` if a client hears of it."""
        match event:
            case TurnStarted():
                self._write("turn", {"session_id": event.session_id})
            case Escalation():
                self._write("escalation", escalation_payload(event))
            case Sentence():
                self._write("sentence", {"index": event.index, "text": event.text})

    def end(self, payload: Mapping[str, Any]) -> None:
        self._write("done", payload)

    def fail(self, payload: Mapping[str, Any]) -> None:
        self._write("error", payload)

    def _write(self, name: str, payload: Mapping[str, Any]) -> None:
        self._send(f"event: {name}\ndata: {to_json(self._show(payload))}\n\n")


class CompletionEvents:
    """The chunks of OpenAI's protocol, to `send`."""

    def __init__(self, send: Send, show: Show, completion: Completion) -> None:
        self._send, self._show, self._completion = send, show, completion

    def tell(self, event: Event) -> None:
        """Write `event` if it is a part of the answer."""
        match event:
            case TurnStarted():
                self._write([self._completion.begin()])
            case Sentence():
                self._write([self._completion.words(event.text)])

    def end(self, payload: Mapping[str, Any]) -> None:
        self._write(self._completion.end(payload))
        self._send("data: [DONE]\n\n")

    def fail(self, payload: Mapping[str, Any]) -> None:
        """Write an error object, which clients take for the end."""
        self._write([payload])

    def _write(self, payloads: Iterable[Mapping[str, Any]]) -> None:
        for payload in payloads:
            self._send(f"data: {to_json(self._show(payload))}\n\n")
