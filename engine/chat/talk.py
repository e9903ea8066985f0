"""Tells what a turn sees of the conversation before it, in conditions and templates, and keeps what the next one sees.

A session keeps it. Where a client sends the history itself, her last words are looked up among the replies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from engine.core.events import Outcome
from engine.core.expression import LazyMapping
from engine.core.plan import Memory, Plan
from engine.core.record import replace
from engine.core.rooms import Learned, Opened
from engine.core.turn import ChatRequest, Message, Role, Talk, Turn, Visitor
from engine.kinds.model import names_of_kind

Find = Callable[[str], Talk | None]
"""Tells what the reply that said a text declares."""


def next_turn(request: ChatRequest, opened: Opened, zone: ZoneInfo, memory: Mapping[str, Memory]) -> Turn:
    """The turn that `request` begins in the room that is `opened` for it; `memory` is what may be remembered."""
    state = opened.state
    now = (request.now or datetime.now(zone)).astimezone(zone)
    said = sum(message.role == "user" for message in request.history)
    hers = [_latest(history, "assistant") for history in (request.history, state.history)]
    return Turn(
        text=request.text,
        now=now,
        session_id=opened.room,
        number=max(state.turns, said) + 1,
        history=request.history or state.history,
        client=request.client,
        said=state.said,
        # The room knows of another talk where the client's own history ends in other words of hers.
        talk=state.talk if not request.history or hers[0] == hers[1] else None,
        visitor=Visitor(
            memory=_known(opened.memory, memory, now.timestamp()) if opened.memory else {},
            visits=opened.visits.number,
            days_away=opened.visits.away,
            signed_in=request.principal.kind == "user",
            name=request.principal.name,
        ),
    )


def _known(learned: Mapping[str, Learned], memory: Mapping[str, Memory], now: float) -> dict[str, str]:
    """Lists what is not to be forgotten by `now`, as long as the pipeline allows it to be today."""
    return {
        name: one.value[: row.characters]
        for name, one in learned.items()
        if (row := memory.get(name)) and (row.forget_after is None or now - one.at < row.forget_after)
    }


def names_of_talk(plan: Plan, turn: Turn) -> LazyMapping:
    """`last`, `session` and `topic`."""
    found: list[Talk] = []
    said = cache(plan.spoken.find)

    def talk() -> Talk:
        if not found:
            found.append(turn.talk or _from_history(said, turn.history))
        return found[0]

    late = {
        "reply_id": lambda: talk().reply_id,
        "engine": lambda: talk().engine,
        "offered": lambda: talk().offered,
    }
    asked = _latest(turn.history, "user")
    late["kind"] = lambda: None if asked is None else names_of_kind(plan.kinds, asked).get("name")
    last = {"text": _latest(turn.history, "assistant"), "user": asked}
    session = LazyMapping(
        {"id": turn.session_id, "turns": turn.number - 1},
        {"offered": lambda: talk().on_offer, "said": lambda: " ".join(turn.said or _said(said, turn.history))},
    )
    return LazyMapping({"last": LazyMapping(last, late), "session": session}, {"topic": lambda: _topic(turn, talk())})


def next_talk(turn: Turn, outcome: Outcome) -> Talk:
    """Makes what is kept of this turn's reply."""
    before = turn.talk or Talk()
    now = replace(
        before,
        reply_id=outcome.reply_id,
        engine=outcome.engine,
        offered=outcome.offers,
        on_offer=outcome.offers or before.on_offer,
    )
    return now if outcome.topic is None else replace(now, topic=outcome.topic, topic_turn=turn.number)


def _latest(history: tuple[Message, ...], role: Role) -> str | None:
    return next((message.text for message in reversed(history) if message.role == role), None)


def _topic(turn: Turn, talk: Talk) -> str | None:
    """The noun of the newest sentence that has one; what a reply said since then goes before it."""
    from engine.text.topic import topic_of

    said = [turn.text, *(message.text for message in reversed(turn.history) if message.role == "user")]
    for ago, text in enumerate(said):
        if talk.topic is not None and turn.number - ago <= talk.topic_turn:
            return talk.topic
        found = topic_of(text)
        if found is not None:
            return found
    return talk.topic


def _from_history(said: Find, history: tuple[Message, ...]) -> Talk:
    """What her newest words declare, and what was on offer before them."""
    hers = [said(message.text) for message in reversed(history) if message.role == "assistant"]
    last = hers[0] if hers and hers[0] else Talk()
    on_offer = next((talk.offered for talk in hers if talk and talk.offered), None)
    turns = sum(message.role == "user" for message in history)
    return replace(last, on_offer=on_offer, topic_turn=turns if last.topic else 0)


def _said(said: Find, history: tuple[Message, ...]) -> Sequence[str]:
    """The ids of the replies that she said in `history`, the last one at the end."""
    hers = [said(message.text) for message in reversed(history) if message.role == "assistant"]
    return tuple(reversed(dict.fromkeys(talk.reply_id for talk in hers if talk and talk.reply_id)))
