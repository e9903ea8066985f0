"""Turns, and what is kept of a room, as bounded JSON texts: the same in every store.

Reading raises `StoreFailed` for texts that no version of this engine wrote; its message quotes none of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from engine.conversations.records import StoredTurn
from engine.core.errors import StoreFailed
from engine.core.events import Escalation, Outcome
from engine.core.record import field_names
from engine.core.rooms import Learned, NewTurn, Visits
from engine.core.turn import Completion, Message, Talk

HISTORY_MESSAGES = 20
"""The newest messages that a turn sees."""
MESSAGE_CHARACTERS = 4_000
MAX_BYTES = 64 * 1024
"""Of the history that a client sent, and of what is kept of replies; DynamoDB refuses items over 400 KB."""
MOST_SAID = 500
"""Replies of which the variants said are kept, and `MOST_TIMES` variants of each."""
MOST_TIMES = 16
_LONGEST = 400 * 1024
_LARGEST = 2**53
_YEAR_10000 = 253_402_300_800
"""In seconds since 1970."""
_FIRST = ord("0")
_TEXTS = ("engine", "step", "reply_id", "offers", "topic", "model")
_ANSWER = ("reply", *_TEXTS, "variant", "score")

T = TypeVar("T")


def to_text(value: Any) -> str:
    """Compact JSON without lone surrogates."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode("utf-8")


def from_text(text: str, read: Callable[[Any], T]) -> T:
    """What `read` makes of the JSON in `text`."""
    try:
        # What is longer was never kept: taking it apart is not worth the time.
        data = json.loads(text if len(text) <= _LONGEST else "")
        # A lone surrogate, as it is or behind an escape, is no text: whoever encodes it later would fail.
        (json.dumps(data, ensure_ascii=False) if "\\u" in text else text).encode()
        return read(data)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError):
        raise StoreFailed("the stored room is of another form") from None


class Said(Mapping[str, tuple[int, ...]]):
    """The replies of a room, the last one at the end, with the newest variants of each. A turn asks for few of them, so
    they stay as they are stored, a letter for each variant, until it does.
    """

    def __init__(self, letters: Mapping[str, str]) -> None:
        self.letters = letters

    def __getitem__(self, reply: str) -> tuple[int, ...]:
        return tuple(ord(letter) - _FIRST for letter in self.letters[reply])

    def __iter__(self) -> Iterator[str]:
        return iter(self.letters)

    def __len__(self) -> int:
        return len(self.letters)

    def also(self, reply: str, variant: int) -> Said:
        """With one that was said just now, and without those that are too many."""
        letters = dict(self.letters)
        letters[reply] = (letters.pop(reply, "") + chr(_FIRST + variant))[-MOST_TIMES:]
        return Said(letters if len(letters) <= MOST_SAID else dict(list(letters.items())[-MOST_SAID:]))


def said_text(said: Said, talk: Talk | None) -> str:
    """What a room's next turn needs beside its words, of at most `MAX_BYTES`."""
    kept: dict[str, Any] = {"said": said.letters}
    if talk is not None:
        kept["talk"] = {name: getattr(talk, name) for name in field_names(Talk)}
    while len((text := to_text(kept)).encode()) > MAX_BYTES and kept["said"]:
        kept["said"] = dict(list(kept["said"].items())[len(kept["said"]) // 2 + 1 :])
    return text


def read_said(text: str) -> tuple[Said, Talk | None]:
    def read(data: Any) -> tuple[Said, Talk | None]:
        # An earlier version kept lists of numbers.
        letters = {
            reply: one if isinstance(one, str) else "".join(chr(_FIRST + number(variant)) for variant in one)
            for reply, one in data["said"].items()
        }
        return Said(letters), _talk(data["talk"]) if "talk" in data else None

    return from_text(text, read) if text else (Said({}), None)


def turn_text(new: NewTurn, at: float, *, first: bool) -> str:
    """A turn; the first one of a room keeps the history that its client brought along, too."""
    outcome = new.outcome
    data: dict[str, Any] = {"at": at, "text": new.text, "ms": new.latency_ms}
    data["answer"] = {name: getattr(outcome, name) for name in _ANSWER if getattr(outcome, name) is not None}
    if outcome.completion is not None:
        names = (name for name in field_names(Completion) if name != "text")
        data["answer"]["completion"] = {name: getattr(outcome.completion, name) for name in names}
    if outcome.escalations:
        data["answer"]["escalations"] = [[one.step, one.reason, one.model] for one in outcome.escalations]
    if first and new.before:
        data["before"] = _bounded(new.before)
    return to_text(data)


def read_turn(place: int, text: str) -> StoredTurn:
    def read(data: Any) -> StoredTurn:
        return StoredTurn(
            number=place,
            at=moment(data["at"]),
            text=string(data["text"]),
            outcome=_outcome(data["answer"]),
            latency_ms=float(data["ms"]),
        )

    return from_text(text, read)


def read_messages(texts: Sequence[str]) -> tuple[Message, ...]:
    """The messages of turns, oldest first, and before them those that the client of the first one brought along."""
    messages: list[Message] = []
    for text in texts:
        messages += from_text(text, _messages)
    return tuple(messages[-HISTORY_MESSAGES:])


def visits_text(visits: Visits) -> str:
    return to_text({"number": visits.number, "away": visits.away, "seen": visits.seen})


def read_visits(text: str) -> Visits:
    def read(data: Any) -> Visits:
        away = None if data["away"] is None else float(data["away"])
        return Visits(number=number(data["number"]), away=away, seen=moment(data["seen"]))

    return from_text(text, read)


def learned_text(learned: Learned) -> str:
    data = {"value": learned.value, "at": learned.at}
    return to_text(data if learned.seconds is None else {**data, "seconds": learned.seconds})


def read_learned(text: str) -> Learned:
    def read(data: Any) -> Learned:
        seconds = None if data.get("seconds") is None else float(data["seconds"])
        return Learned(string(data["value"]), moment(data["at"]), seconds)

    return from_text(text, read)


def number(value: Any) -> int:
    """A count that every store can hold."""
    if not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise TypeError("a number of another form")
    return int(value)


def moment(value: Any) -> float:
    """A time in seconds since 1970 that a calendar has."""
    if not 0 <= value < _YEAR_10000:
        raise TypeError("a time of another form")
    return float(value)


def _messages(data: Any) -> list[Message]:
    answer = data["answer"]
    before = [Message("user" if role == "user" else "assistant", _short(said)) for role, said in data.get("before", ())]
    return [*before, Message("user", _short(data["text"])), Message("assistant", _short(answer["reply"]))]


def _bounded(history: tuple[Message, ...]) -> list[tuple[str, str]]:
    kept: list[tuple[str, str]] = [
        (message.role, message.text[:MESSAGE_CHARACTERS]) for message in history[-HISTORY_MESSAGES:]
    ]
    while kept and sum(len(text.encode("utf-8", "replace")) for _, text in kept) > MAX_BYTES:
        kept = kept[1:]
    return kept


def _talk(stored: Mapping[str, Any]) -> Talk:
    """What is kept of a talk; what a later version keeps besides is left out."""
    texts = {name: stored.get(name) for name in field_names(Talk) if name != "topic_turn"}
    if not all(value is None or isinstance(value, str) for value in texts.values()):
        raise TypeError("a talk of another form")
    return Talk(**texts, topic_turn=number(stored.get("topic_turn", 0)))


def _outcome(data: Mapping[str, Any]) -> Outcome:
    texts: dict[str, Any] = {name: data.get(name) for name in _TEXTS}
    if not all(value is None or isinstance(value, str) for value in texts.values()):
        raise TypeError("an answer of another form")
    reply = string(data["reply"])
    given = data.get("completion")
    completion = None
    if given is not None:
        kept = {name: given[name] for name in field_names(Completion) if name in given}
        named = {"model": string(given.get("model", "")), "text": reply}
        completion = Completion(**{"finish_reason": "stop", **kept, **named})
    return Outcome(
        reply=reply,
        **texts,
        variant=data.get("variant"),
        score=data.get("score"),
        completion=completion,
        escalations=tuple(
            Escalation(step=step, reason=reason, model=model) for step, reason, model in data.get("escalations", ())
        ),
    )


def _short(value: Any) -> str:
    return string(value)[:MESSAGE_CHARACTERS]


def string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text of another form")
    return value
