"""Represents a turn as data: the request, the turn itself, the prompt, the completion."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from engine.core.record import field, record


@record
class Principal:
    """The person a turn is for. Only users have an `id`; their identity provider gave the `name`, which is cleaned."""

    kind: Literal["anonymous", "token", "user"]
    id: str = ""
    name: str | None = None


ANONYMOUS = Principal(kind="anonymous")


Role = Literal["user", "assistant"]
Engine = Literal["canned", "local", "external", "fallback"]
FinishReason = Literal["stop", "length", "deadline", "refusal", "interrupted"]
"""How an answer ended; one is `interrupted` that broke off after some of its sentences were said."""


@record(kw_only=False)
class Message:
    role: Role
    text: str


@record(kw_only=False)
class Exchange:
    """An example of how the persona answers."""

    user: str
    reply: str


@record(kw_only=False)
class Labels:
    """The names of the speakers in the transcript that base models continue."""

    user: str
    reply: str


@record
class Talk:
    """The state of a conversation besides its words.

    `reply_id`, `engine` and `offered` are those of the last reply; `on_offer` is what was offered or served last, by
    whatever reply; `topic` is what a reply said the talk is about, in the turn `topic_turn`.
    """

    reply_id: str | None = None
    engine: str | None = None
    offered: str | None = None
    on_offer: str | None = None
    topic: str | None = None
    topic_turn: int = 0


@record
class Visitor:
    """The person who asks: `memory` holds remembered texts by name, `name` is the verified one.

    `visits` counts this one, too; `days_away` is how many days before it the last one ended.
    """

    memory: Mapping[str, str] = field(default_factory=dict)
    visits: int = 1
    days_away: float | None = None
    signed_in: bool = False
    name: str | None = None


@record
class Turn:
    """Everything a turn depends on: with an equal `Turn` the canned part of a plan gives an equal outcome.

    `text` is cleaned already; `number` counts from 1; `client` is what the client says of itself, unverified; `said`
    maps a reply's id to the variants said in the session, the last one at the end; `talk` is `None` where no session
    knows it; `seed` decides between variants.
    """

    text: str
    now: datetime
    session_id: str
    number: int = 1
    history: tuple[Message, ...] = ()
    client: Mapping[str, Any] = field(default_factory=dict)
    said: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    talk: Talk | None = None
    visitor: Visitor = field(default_factory=Visitor)
    seed: str = ""


@record
class Prompt:
    """The prompt of a model. Chat models get messages; a base model continues the same as a transcript.

    `near` are those of the `examples` that stand once more before the history, as they are like the text.
    """

    system: str
    examples: tuple[Exchange, ...]
    history: tuple[Message, ...]
    text: str
    labels: Labels
    near: tuple[Exchange, ...] = ()


@record
class Completion:
    """A model's answer; `confidence` is the geometric mean probability of its tokens, where the backend gives one."""

    text: str
    finish_reason: FinishReason
    model: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    confidence: float | None = None
    seconds: float = 0.0


@record
class Piece:
    """Whole sentences that a model has added to its answer; `confidence` is that of the answer so far."""

    text: str
    confidence: float | None = None


@record
class ChatRequest:
    """The request of a client, already cleaned; `now` is for callers that pin the clock.

    `turn_key` names this turn, so that a retry gets the stored answer; `address` is where it came from, if that is
    known. One that is `streamed` is heard sentence by sentence, as soon as each is certain.
    """

    text: str
    history: tuple[Message, ...] = ()
    session_id: str | None = None
    client: Mapping[str, Any] = field(default_factory=dict)
    now: datetime | None = None
    principal: Principal = ANONYMOUS
    turn_key: str | None = None
    address: str = ""
    streamed: bool = False
