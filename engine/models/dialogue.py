"""Orders what a prompt quotes as the messages of a chat. Knows neither vendors nor chat templates."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import dropwhile

from engine.core.turn import Exchange, Message


def alternating(examples: Iterable[Exchange], history: Iterable[Message], text: str) -> list[Message]:
    """The messages from the user's first to the user's `text`, their roles in turn, as providers and templates insist
    on: neighbours of one role are joined by a line break; empty ones, and what the assistant opened the history with,
    are left out.
    """
    said = [
        message
        for example in examples
        for message in (Message("user", example.user), Message("assistant", example.reply))
    ]
    said += dropwhile(lambda message: message.role == "assistant", history)
    messages: list[Message] = []
    for message in (*(one for one in said if one.text.strip()), Message("user", text)):
        if messages and messages[-1].role == message.role:
            messages[-1] = Message(message.role, f"{messages[-1].text}\n{message.text}")
        elif messages or message.role == "user":
            messages.append(message)
    return messages
