"""Answers a turn, stage by stage, and tells what happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from engine.chat.step_runner import run_steps
from engine.chat.talk import next_talk, next_turn
from engine.core.deadline import Clock, Deadline
from engine.core.errors import TurnsUsedUp
from engine.core.events import ChatResult, Escalation, Listen, Outcome, Sentence, TurnStarted, ignore
from engine.core.plan import Memory, Plan
from engine.core.ports import Limiter, RoomStore, Services
from engine.core.record import record, replace
from engine.core.rooms import NewTurn, Opened, Replay
from engine.core.turn import ChatRequest, Turn
from engine.text.sentences import sentences


@record
class ChatService:
    """What answering takes; nothing of a turn stays here. `zone` is the persona's."""

    plan: Plan
    zone: ZoneInfo
    services: Services
    rooms: RoomStore
    clock: Clock
    limiter: Limiter | None = None

    def reply(self, request: ChatRequest, deadline: Deadline | None = None, listen: Listen = ignore) -> ChatResult:
        """Answer one turn, by the earlier of `deadline` and the pipeline's own; the result is the last event told.

        Raises:
            TurnsUsedUp: whoever asks had all turns of the day, and the pipeline has no reply for that.
            TurnConflict: the request's `turn_key` belongs to a turn that is still running, or to another text.
            Cancelled: whoever asked left before anything was said.
        """
        began = self.clock()
        until = own = Deadline.after(self.plan.deadline, self.clock)
        if deadline is not None:
            own = own.within(deadline.remaining())
            until = own.unless(deadline.gone)

        opened = self.rooms.open(request, self.plan.memory.keys(), until)
        if isinstance(opened, Replay):
            return _again(opened, request.text, listen)
        turn = next_turn(request, opened, self.zone, self.plan.memory)
        listen(TurnStarted(session_id=turn.session_id, number=turn.number, visitor=turn.visitor))
        saying = _Saying(listen)
        saving = min(self.rooms.reserve, until.remaining() / 10)
        try:
            say = saying.say if request.streamed else None
            outcome = self._run(request, turn, opened.room, until.less(saving), listen, say)
        except BaseException:
            self.rooms.release(opened, own)
            raise
        saying.finish(outcome)
        latency_ms = round((self.clock() - began) * 1000, 3)
        stored = self._store(opened, turn, outcome, latency_ms, own)
        result = ChatResult(
            text=turn.text, outcome=outcome, session_id=turn.session_id, latency_ms=latency_ms, stored=stored
        )
        listen(result)
        return result

    def _run(  # noqa: PLR0913, PLR0917  a turn, and who hears of it
        self,
        request: ChatRequest,
        turn: Turn,
        room: str,
        until: Deadline,
        listen: Listen,
        say: Callable[[str], None] | None,
    ) -> Outcome:
        """What the steps come to; where the turns of the day are used up, the reply for that."""
        if self.limiter is None:
            return run_steps(self.plan, turn, self.services, until, listen, say)
        try:
            purse = self.limiter.admit(request, room, until)
        except TurnsUsedUp:
            step = None if self.plan.limits is None else self.plan.limits.step
            if step is None:
                raise
            used_up = Escalation(step=step.id, reason="turns")
            listen(used_up)
            outcome = run_steps(replace(self.plan, steps=(step,)), turn, self.services, until, listen)
            return replace(outcome, escalations=(used_up,), trace=(used_up, *outcome.trace))
        return run_steps(self.plan, turn, replace(self.services, purse=purse), until, listen, say)

    def _store(self, opened: Opened, turn: Turn, outcome: Outcome, latency_ms: float, until: Deadline) -> bool:
        if outcome.reply is None:
            self.rooms.release(opened, until)
            return False
        new = NewTurn(
            text=turn.text,
            outcome=outcome,
            latency_ms=latency_ms,
            number=turn.number,
            talk=next_talk(turn, outcome),
            before=() if turn.history is opened.state.history else turn.history,
            remembered={**_outlived(opened, turn), **outcome.remembered},
            forget_after=_times(self.plan.memory, outcome),
            at=turn.now.timestamp(),
        )
        return self.rooms.append(opened, new, until)


def _outlived(opened: Opened, turn: Turn) -> dict[str, None]:
    """What the store still holds, and the pipeline forgets by now."""
    return {name: None for name in opened.memory if name not in turn.visitor.memory}


class _Saying:
    """Tells the sentences of a reply, each once."""

    def __init__(self, listen: Listen) -> None:
        self._listen, self._said, self._number = listen, "", 0

    def say(self, text: str) -> None:
        self._listen(Sentence(index=self._number, text=text))
        self._said += text
        self._number += 1

    def finish(self, outcome: Outcome) -> None:
        """Says what was not said yet: declared words as one sentence, those of a model one by one."""
        if outcome.reply is None or outcome.reply == self._said:
            return
        rest = outcome.reply[len(self._said) :]
        for text in [rest] if outcome.completion is None else sentences(rest):
            self.say(text)


def _times(memory: Mapping[str, Memory], outcome: Outcome) -> dict[str, float]:
    """Seconds after which what was learned is forgotten by itself."""
    times = {name: memory[name].forget_after for name in outcome.remembered}
    return {name: seconds for name, seconds in times.items() if seconds is not None}


def _again(replay: Replay, text: str, listen: Listen) -> ChatResult:
    """The stored answer of an earlier try."""
    result = ChatResult(
        text=text,
        outcome=replay.outcome,
        session_id=replay.room,
        latency_ms=replay.latency_ms,
        stored=True,
        replayed=True,
    )
    listen(TurnStarted(session_id=replay.room, number=0))
    _Saying(listen).finish(replay.outcome)
    listen(result)
    return result
